import type { Aggregator } from '../api/aggregation.ts';
import { appendFields } from '../api/json.ts';
import { countGeneratedEvents, NativeStreamEnd } from '../api/stream-markers.ts';
import type { CancelSignal } from '../cancellation.ts';
import type { GatewayConfig } from '../config.ts';
import { draining, modelLoading } from '../errors/catalogue.ts';
import { adapterMembers } from '../models/adapter-names.ts';
import { withModel } from '../models/router-models.ts';
import type { AdmissionResult, Lease, LeaseRequest } from '../scheduler/lease.ts';
import type { Quarantine, TrackedRequest } from '../scheduler/quarantine.ts';
import type { EventObserver, EventStreamRelay } from '../upstream/event-stream-relay.ts';
import { type ExchangeResult, type ExchangeTimeouts, exchange } from '../upstream/exchange.ts';
import { headersForBackend } from '../upstream/headers.ts';
import type { ResponseTail } from '../upstream/relay.ts';
import { rejectIfBlocked, requestsStream } from './parse-request.ts';
import type { ProxyContext } from './proxy-context.ts';
import { admissionError } from './result-errors.ts';
import type { PreparedRequest } from './stream-continuation.ts';

/** What an attempt sends, and where its response goes. */
export interface Attempt {
  readonly tail: ResponseTail;
  /** Set if a stream is to become one JSON object. */
  readonly aggregator: Aggregator | undefined;
  /** The relay of a stream that has begun. */
  readonly relay: EventStreamRelay | undefined;
  /** Reads the events of a stream; undefined if they are only counted. */
  readonly observe: EventObserver | undefined;
  /** Aborts when the client disconnects, the request is cancelled, or the attempt is to give way. */
  readonly signal: CancelSignal;
  /** How many tokens of this attempt are kept if it breaks off now. */
  readonly progress: () => number;
  /** Called with the lease, before anything is sent; undefined if the request goes as it is. */
  readonly prepare: (() => PreparedRequest | Promise<PreparedRequest>) | undefined;
}

/**
 * Waits for a lease, then for the backend's response to have gone to the client, or to have failed. A suspect that has to wait
 * for another one returns its lease meanwhile.
 */
export async function runAttempt(
  context: ProxyContext,
  leaseRequest: LeaseRequest,
  attempt: Attempt,
): Promise<ExchangeResult> {
  const { services, model, conversation, request, record } = context;
  for (let asked = leaseRequest; ; asked = { ...leaseRequest, requeued: true }) {
    context.engine = context.isBatch ? model.pickIdleEngine() : model.pickEngine(conversation);
    const admitting = admit(context, asked);
    const lease = admitting instanceof Promise ? await admitting : admitting;
    record.leases += 1;
    if (context.isBatch) reportBatchSlots(context);
    const { quarantine } = context.engine;
    let tracked: TrackedRequest | undefined;
    let turn: ReturnType<typeof takeAdapterTurn>;
    try {
      rejectIfBlocked(quarantine, record, request.body);
      tracked = quarantine.start(request.body);
      if (tracked === undefined) {
        lease[Symbol.dispose]();
        await quarantine.waitForTurn(context.signal);
        continue;
      }
      context.keepAlive?.start();
      const preparing = attempt.prepare?.();
      const prepared =
        preparing instanceof Promise ? await raceShutdown(preparing, services.shutdown) : preparing;
      turn = takeAdapterTurn(context, attempt);
      if (turn?.waiting) await turn.waiting;
      // Awaited here: the lease is returned when this block ends, or when the backend releases the slot after that.
      const since = performance.now();
      const result = await send(context, lease, tracked, attempt, prepared);
      record.computeMs = (record.computeMs ?? 0) + performance.now() - since;
      const reporting = reportResult(context, tracked, attempt, result);
      if (reporting !== undefined) await reporting;
      return result;
    } catch (error) {
      if (tracked !== undefined) quarantine.abandoned(tracked);
      throw error;
    } finally {
      turn?.turns.leave();
      record.leases -= 1;
      lease[Symbol.dispose]();
    }
  }
}

/** When a client may come back whose adapter the engine does not have yet, ms. */
const ADAPTER_RETRY_MS = 1000;

/** So many lines, and one more, the runner has under way at once. */
export function reportBatchSlots({ response, model }: Pick<ProxyContext, 'response' | 'model'>): void {
  response.setHeader('x-corral-batch-slots', model.batchSlots);
}

/** Throws, or rejects with, the ApiError of a request that gets no lease. */
function admit(context: ProxyContext, leaseRequest: LeaseRequest): Lease | Promise<Lease> {
  const { route, model, engine, record } = context;
  const scheduler = route.takesSlot ? engine.scheduler : engine.countingScheduler;
  const endTrace = record.trace?.startWait();
  const onAdmitted = (admission: AdmissionResult, waitedMs: number): Lease | Promise<Lease> => {
    endTrace?.(admission.outcome);
    record.queuedMs = (record.queuedMs ?? 0) + waitedMs;
    if (admission.outcome === 'moved') {
      context.engine = context.isBatch ? model.pickIdleEngine() : model.pickEngine(context.conversation);
      return admit(context, { ...leaseRequest, requeued: true, since: admission.since });
    }
    if (admission.outcome !== 'granted') throw admissionError(admission, model, engine, leaseRequest.signal);
    const { lease } = admission;
    if (lease.scheduler !== scheduler) context.engine = model.engineOf(lease, context.conversation);
    const capacity = Math.max(lease.scheduler.capacity, 1);
    record.machineShare = (lease.slots / capacity) * context.engine.machineShare;
    return lease;
  };
  const admitting = scheduler.admit(leaseRequest);
  if (!(admitting instanceof Promise)) return onAdmitted(admitting, 0);
  const since = performance.now();
  return admitting.then((admission) => onAdmitted(admission, performance.now() - since));
}

function send(
  context: ProxyContext,
  lease: Lease,
  tracked: TrackedRequest,
  attempt: Attempt,
  prepared: PreparedRequest | undefined,
): Promise<ExchangeResult> {
  const { route, engine, request, record } = context;
  const { keepAlive, formatter, rewriter, incoming, response } = context;
  const { dialect } = route;
  const { tail, aggregator, relay, signal } = attempt;
  if (prepared) relay?.resume(prepared.rewriter);
  // The model may have been replaced while the request waited.
  if (relay === undefined) record.model = context.modelName();
  record.responseTail = tail;
  const body = bodyForBackend(context, prepared?.body ?? request.body);
  const trace = record.trace?.startExchange(route.upstream);
  const headers = headersForBackend(incoming.headers, record.id, engine.backend.apiKey, trace?.traceparent);
  const isStream = requestsStream(request);
  const exchanging = exchange(
    { path: route.upstream, headers, body, closesConnection: isStream },
    {
      pool: engine.pool,
      response,
      dialect,
      formatter,
      rewriter,
      aggregator,
      resumeRewriter: prepared?.rewriter,
      keepAlive,
      tail,
      slotUse: engine.slotTracker.track(lease, isStream),
      observe: reportTokens(engine.quarantine, tracked, attempt.observe ?? countEvents(context)),
      nativeEnd: dialect === 'native' ? new NativeStreamEnd(request.sequences) : undefined,
      resumedRelay: relay,
      signal,
      keepLeaseUntil: route.takesSlot ? undefined : (released) => lease.keepUntil(released),
      timeouts: exchangeTimeouts(request.stream, context.model.timeouts),
      startedAt: record.startedAt,
      queuedMs: lease.waitedMs,
    },
  );
  if (trace === undefined) return exchanging;
  return exchanging.then((result) => {
    trace.end(result);
    return result;
  });
}

/** For responses that no other engine can continue. */
function countEvents({ route, request }: ProxyContext): EventObserver {
  const engineDialect = request.responseConversion === 'message' ? 'openai' : route.dialect;
  return (events) => countGeneratedEvents(engineDialect, events);
}

/** Reports to the quarantine what became of a request at the engine. */
function reportResult(
  { route, engine: { quarantine } }: ProxyContext,
  tracked: TrackedRequest,
  attempt: Attempt,
  result: ExchangeResult,
): Promise<void> | undefined {
  if (result.outcome === 'failed') {
    const { kind } = result.failure;
    if (kind === 'broke-off') return quarantine.connectionLost(tracked, attempt.progress());
    if (kind === 'unreachable' || kind === 'preempted') tracked.releaseTurn?.();
    else quarantine.abandoned(tracked);
  }
  // An engine that loads has read nothing.
  else if (result.outcome === 'declined' && result.error.status === 503) tracked.releaseTurn?.();
  else if (route.takesSlot) quarantine.completed(tracked);
  else quarantine.counted(tracked);
  return undefined;
}

/** While the backend's props are unknown, it may have become a router with several models: then the body names one. */
function bodyForBackend(context: ProxyContext, body: Buffer): Buffer {
  const { engine, record, incoming, modelName } = context;
  if (engine.adapters.length > 0 && context.route.generates) return withAdapter(context, body);
  if (engine.monitor.props !== undefined) return body;
  record.model = modelName();
  return withModel(record.model, body, incoming.headers['content-type']);
}

/** Decided when the request is sent: the engine that runs then may have others than the one before. */
function withAdapter({ engine, model, record, incoming }: ProxyContext, body: Buffer): Buffer {
  if (incoming.headers['content-type']?.startsWith('multipart/form-data')) return body;
  return appendFields(body, adapterMembers(engine.adapters, model.getAdapter(record.model ?? '')));
}

/** Waits until the engine computes requests for this adapter; undefined if it does so now, or has none. */
function takeAdapterTurn(context: ProxyContext, { signal }: Attempt) {
  const { engine, model, record, route, isBatch } = context;
  const adapter = model.getAdapter(record.model ?? '');
  // It is about to be restarted with the adapter, or without it.
  const isReadAsMessage = route.upstream === '/v1/messages';
  if (adapter !== undefined && (isReadAsMessage || !engine.adapters.includes(adapter)))
    throw modelLoading(ADAPTER_RETRY_MS);
  if (engine.adapterTurns === undefined || !route.takesSlot) return undefined;
  const waiting = engine.adapterTurns.enter(adapter ?? '', signal, isBatch);
  if (waiting !== undefined && !isBatch) engine.scheduler.preemptBatches();
  return { waiting, turns: engine.adapterTurns };
}

/** Reports the first tokens of a suspect to the quarantine; other requests are observed as before. */
function reportTokens(
  quarantine: Quarantine,
  tracked: TrackedRequest,
  observe: EventObserver,
): EventObserver {
  if (tracked.releaseTurn === undefined) return observe;
  return (events) => {
    const tokens = observe(events);
    if (tokens > 0) quarantine.onTokens(tracked);
    return tokens;
  };
}

const TEN_MINUTES = 600_000;

/** A stream that moves has no end unless `REQUEST_TIMEOUT` is set. Any other request has one. */
function exchangeTimeouts(stream: boolean, timeouts: GatewayConfig['timeouts']): ExchangeTimeouts {
  const { request, firstByte, streamIdle } = timeouts;
  if (stream) return { firstByteTimeout: firstByte, idleTimeout: streamIdle, totalTimeout: request ?? 0 };
  return { firstByteTimeout: 0, idleTimeout: streamIdle, totalTimeout: request ?? TEN_MINUTES };
}

/** Rejects with the error `draining` as soon as the gateway breaks off all requests. */
export async function raceShutdown<T>(work: Promise<T>, shutdown: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(draining(1000));
  if (shutdown.aborted) abort();
  else shutdown.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([aborted, work]);
  } finally {
    shutdown.removeEventListener('abort', abort);
  }
}
