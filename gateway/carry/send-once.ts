import type { Claim } from '../admission/admission.ts';
import type { Lease } from '../admission/lease.ts';
import type { Assembly } from '../openai/assemble/assembly.ts';
import { addressedTo } from '../router/address-model.ts';
import type { Work } from '../suspects/suspects.ts';
import type { AnswerEnds } from '../upstream/answer-ends.ts';
import type { EventStreamRelay, Listener } from '../upstream/event-stream-relay.ts';
import { type Ending, exchange } from '../upstream/exchange.ts';
import { generatedEvents } from '../upstream/generated-events.ts';
import { headersForBackend } from '../upstream/headers.ts';
import { NativeFinals } from '../upstream/native-finals.ts';
import { atWork, overhear } from './at-work.ts';
import { limitsFor } from './limits-for.ts';
import type { Prepared } from './own-prefill.ts';
import { refuseCulprit } from './refuse-culprit.ts';
import { refuseAdmission } from './refuse-ending.ts';
import { asksForStream, type Sending } from './sending.ts';
import { unlessCutOff } from './unless-cut-off.ts';

/** What an exchange sends, and into what its answer goes. */
export interface Attempt {
  readonly ends: AnswerEnds;
  /** Where it is to become an answer in one piece. */
  readonly assembly: Assembly | undefined;
  /** Of a stream that has begun. */
  readonly relay: EventStreamRelay | undefined;
  /** Hears the events of a stream; where it is undefined they are only counted. */
  readonly listen: Listener | undefined;
  /** How many tokens of the answer are kept that it has said in this attempt. */
  readonly progress: () => number;
  /** What to do when the lease is there, before anything is sent; undefined where the request goes as it is. */
  readonly prepare: (() => Promise<Prepared>) | undefined;
}

/** Waits for a lease, then for the backend's answer to have gone to the client, or to have failed. */
export async function sendOnce(sending: Sending, claim: Claim, attempt: Attempt): Promise<Ending> {
  const ending = await sendWithLease(sending, claim, attempt);
  if (ending !== 'waits') return ending;
  await sending.parts.suspects.turnFree(sending.signal);
  return sendOnce(sending, { ...claim, again: true }, attempt);
}

/** A suspect that has to wait for another one gives its lease back meanwhile. */
async function sendWithLease(sending: Sending, claim: Claim, attempt: Attempt): Promise<Ending | 'waits'> {
  using lease = await admit(sending, claim);
  const { route, parts, request, record } = sending;
  refuseCulprit(parts.suspects, record, request.body);
  const work = parts.suspects.enter(request.body);
  if (work === undefined) return 'waits';
  sending.pacemaker?.start();
  const sent = { takesSlot: route.takesSlot, progress: attempt.progress };
  // Awaited here: the lease goes back when this function ends, or when the backend has let go after that.
  return await atWork(parts.suspects, work, () => send(sending, lease, work, attempt), sent);
}

async function admit({ route, parts, record }: Sending, claim: Claim): Promise<Lease> {
  const { watch } = parts;
  const admission = route.takesSlot ? parts.admission : parts.countingPlaces;
  const since = performance.now();
  const traced = record.trace?.waits();
  const admitted = await admission.admit(claim);
  traced?.(admitted.outcome);
  record.queuedMs = (record.queuedMs ?? 0) + performance.now() - since;
  if (admitted.outcome !== 'granted') throw refuseAdmission(admitted, watch.standing, claim.signal);
  record.machineShare = admitted.lease.weight / Math.max(admission.counts.capacity, 1);
  return admitted.lease;
}

async function send(sending: Sending, lease: Lease, work: Work, attempt: Attempt): Promise<Ending> {
  const { route, parts, request, signal, record, pacemaker, voice, mender, incoming, response } = sending;
  const { config, pool } = parts;
  const { dialect } = route;
  const told = request.answerForm === 'message' ? 'openai' : dialect;
  const { ends, assembly, relay, listen = (events) => generatedEvents(told, events) } = attempt;
  const prepared = attempt.prepare && (await unlessCutOff(attempt.prepare(), parts.cutOff));
  if (prepared) relay?.resume(prepared.seam);
  const isStream = asksForStream(request);
  record.answer = ends;
  const body = prepared?.body ?? request.body;
  // What stands at the address may have become a router while this one waited.
  const mayServeSeveral = parts.watch.facts === undefined;
  if (mayServeSeveral) record.model = sending.modelName();
  const type = incoming.headers['content-type'];
  const sent = mayServeSeveral ? addressedTo(record.model ?? '', body, type) : body;
  const headers = headersForBackend(incoming.headers, record.id, config.backend.apiKey);
  const traced = record.trace?.tries(route.upstream);
  if (traced) headers.traceparent = traced.traceparent;
  const since = performance.now();
  const ending = await exchange(
    {
      path: route.upstream,
      headers,
      body: sent,
      isLastOnConnection: isStream,
    },
    {
      pool,
      response,
      dialect,
      voice,
      mender,
      assembly,
      seam: prepared?.seam,
      pacemaker,
      ends,
      stay: parts.occupancy.enter(lease, isStream),
      listen: overhear(parts.suspects, work, listen),
      finals: dialect === 'native' ? new NativeFinals(request.weight) : undefined,
      resumed: relay,
      signal,
      worksOn: route.takesSlot ? undefined : (untilThen) => lease.keepUntil(untilThen),
      limits: limitsFor(request.stream, config.timeouts),
      startedAt: record.startedAt,
      queuedMs: lease.waitedMs,
    },
  );
  record.computeMs = (record.computeMs ?? 0) + performance.now() - since;
  traced?.ends(ending);
  return ending;
}
