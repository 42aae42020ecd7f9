import type { Aggregator } from '../api/aggregation.ts';
import { countGeneratedEvents, NativeStreamEnd } from '../api/stream-markers.ts';
import { withModel } from '../models/router-models.ts';
import type { Lease } from '../scheduler/lease.ts';
import type { TrackedRequest } from '../scheduler/quarantine.ts';
import type { LeaseRequest } from '../scheduler/scheduler.ts';
import type { EventObserver, EventStreamRelay } from '../upstream/event-stream-relay.ts';
import { type ExchangeResult, exchange } from '../upstream/exchange.ts';
import { headersForBackend } from '../upstream/headers.ts';
import type { ResponseTail } from '../upstream/relay.ts';
import type { PreparedRequest } from './client-prefill.ts';
import { exchangeLimits } from './exchange-limits.ts';
import { type ProxyContext, requestsStream } from './proxy-context.ts';
import { raceShutdown } from './race-shutdown.ts';
import { rejectIfBlocked } from './reject-if-blocked.ts';
import { admissionError } from './result-errors.ts';
import { reportTokens, trackInQuarantine } from './track-in-quarantine.ts';

/** What an exchange sends, and into what its answer goes. */
export interface Attempt {
  readonly tail: ResponseTail;
  /** Where it is to become an answer in one piece. */
  readonly aggregator: Aggregator | undefined;
  /** Of a stream that has begun. */
  readonly relay: EventStreamRelay | undefined;
  /** Hears the events of a stream; where it is undefined they are only counted. */
  readonly observe: EventObserver | undefined;
  /** How many tokens of the answer are kept that it has said in this attempt. */
  readonly progress: () => number;
  /** What to do when the lease is there, before anything is sent; undefined where the request goes as it is. */
  readonly prepare: (() => Promise<PreparedRequest>) | undefined;
}

/** Waits for a lease, then for the backend's answer to have gone to the client, or to have failed. */
export async function runAttempt(
  sending: ProxyContext,
  claim: LeaseRequest,
  attempt: Attempt,
): Promise<ExchangeResult> {
  const ending = await sendWithLease(sending, claim, attempt);
  if (ending !== 'waits') return ending;
  await sending.services.quarantine.waitForTurn(sending.signal);
  return runAttempt(sending, { ...claim, requeued: true }, attempt);
}

/** A suspect that has to wait for another one gives its lease back meanwhile. */
async function sendWithLease(
  sending: ProxyContext,
  claim: LeaseRequest,
  attempt: Attempt,
): Promise<ExchangeResult | 'waits'> {
  using lease = await admit(sending, claim);
  const { route, services, request, record } = sending;
  rejectIfBlocked(services.quarantine, record, request.body);
  const work = services.quarantine.start(request.body);
  if (work === undefined) return 'waits';
  sending.keepAlive?.start();
  const sent = { takesSlot: route.takesSlot, progress: attempt.progress };
  // Awaited here: the lease goes back when this function ends, or when the backend has let go after that.
  return await trackInQuarantine(services.quarantine, work, () => send(sending, lease, work, attempt), sent);
}

async function admit({ route, services, record }: ProxyContext, claim: LeaseRequest): Promise<Lease> {
  const { watch } = services;
  const admission = route.takesSlot ? services.scheduler : services.countingScheduler;
  const since = performance.now();
  const traced = record.trace?.startWait();
  const admitted = await admission.admit(claim);
  traced?.(admitted.outcome);
  record.queuedMs = (record.queuedMs ?? 0) + performance.now() - since;
  if (admitted.outcome !== 'granted') throw admissionError(admitted, watch.status, claim.signal);
  record.machineShare = admitted.lease.slots / Math.max(admission.counts.capacity, 1);
  return admitted.lease;
}

async function send(
  sending: ProxyContext,
  lease: Lease,
  work: TrackedRequest,
  attempt: Attempt,
): Promise<ExchangeResult> {
  const { route, services, request, signal, record, keepAlive, formatter, rewriter, incoming, response } =
    sending;
  const { config, pool } = services;
  const { dialect } = route;
  const told = request.responseConversion === 'message' ? 'openai' : dialect;
  const { tail, aggregator, relay, observe = (events) => countGeneratedEvents(told, events) } = attempt;
  const prepared = attempt.prepare && (await raceShutdown(attempt.prepare(), services.shutdown));
  if (prepared) relay?.resume(prepared.rewriter);
  const isStream = requestsStream(request);
  record.responseTail = tail;
  const body = prepared?.body ?? request.body;
  // What stands at the address may have become a router while this one waited.
  const mayServeSeveral = services.watch.props === undefined;
  if (mayServeSeveral) record.model = sending.modelName();
  const type = incoming.headers['content-type'];
  const sent = mayServeSeveral ? withModel(record.model ?? '', body, type) : body;
  const headers = headersForBackend(incoming.headers, record.id, config.backend.apiKey);
  const traced = record.trace?.startExchange(route.upstream);
  if (traced) headers.traceparent = traced.traceparent;
  const since = performance.now();
  const ending = await exchange(
    {
      path: route.upstream,
      headers,
      body: sent,
      closesConnection: isStream,
    },
    {
      pool,
      response,
      dialect,
      formatter,
      rewriter,
      aggregator,
      resumeRewriter: prepared?.rewriter,
      keepAlive,
      tail,
      slotUse: services.slotTracker.track(lease, isStream),
      observe: reportTokens(services.quarantine, work, observe),
      nativeEnd: dialect === 'native' ? new NativeStreamEnd(request.weight) : undefined,
      resumedRelay: relay,
      signal,
      keepLeaseUntil: route.takesSlot ? undefined : (untilThen) => lease.keepUntil(untilThen),
      timeouts: exchangeLimits(request.stream, config.timeouts),
      startedAt: record.startedAt,
      queuedMs: lease.waitedMs,
    },
  );
  record.computeMs = (record.computeMs ?? 0) + performance.now() - since;
  traced?.end(ending);
  return ending;
}
