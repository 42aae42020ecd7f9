import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { BenchClient, BenchRequest, OnChunk, Outcome } from './bench-client.ts';
import type { Arrivals, Conditions, Load, Step, StepReport } from './report.ts';
import { StepTally } from './step-tally.ts';

interface StepRun {
  readonly step: Step;
  readonly asker: BenchClient;
  readonly nextQuestion: () => BenchRequest;
  readonly conditions: Conditions;
  /** Ends the step; what was measured until then is told. */
  readonly signal: AbortSignal;
  readonly onStart: (tally: StepTally, from: number, until: number) => void;
}

/** A client of a closed loop that failed rests for so long, or an endpoint would be measured by how fast it refuses. */
const REST_AFTER_FAILURE_MS = 100;

/** Undefined where it was broken off before anything was measured. */
export async function runStep(run: StepRun): Promise<StepReport | undefined> {
  const { step, conditions, signal } = run;
  const begin = performance.now();
  const from = begin + conditions.warmupMs;
  const until = conditions.durationMs === null ? Number.POSITIVE_INFINITY : from + conditions.durationMs;
  const tally = new StepTally({ from, until, isStream: conditions.stream });
  const quota = new Quota({ from, until, requests: conditions.requests });
  run.onStart(tally, from, until);
  const endWatch = measureClientLoad();
  await offer(step.load, { run, tally, quota, begin });
  const at = performance.now();
  const client = endWatch();
  if (at <= from) return undefined;
  return tally.report(step, { at, isPartial: signal.aborted, client });
}

interface Offer {
  readonly run: StepRun;
  readonly tally: StepTally;
  readonly quota: Quota;
  readonly begin: number;
}

function offer(load: Load, parts: Offer): Promise<void> {
  return load.kind === 'closed'
    ? offerByClients(load.concurrency, parts)
    : offerByTime(arrivalTimes(load.rate, load.arrivals), parts);
}

async function offerByClients(concurrency: number, { run, tally, quota }: Offer): Promise<void> {
  const { signal } = run;
  const client = async () => {
    while (!signal.aborted) {
      const startsAt = performance.now();
      const turn = quota.next(startsAt);
      if (turn === 'over') return;
      const outcome = await measure(run, tally, startsAt, turn === 'measured');
      if (outcome.kind === 'failed') await rest(REST_AFTER_FAILURE_MS, signal);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, client));
}

async function offerByTime(times: Iterable<number>, { run, tally, quota, begin }: Offer): Promise<void> {
  const { signal, conditions } = run;
  const open = new Set<Promise<unknown>>();
  let oneEnded = Promise.withResolvers<void>();
  for (const time of times) {
    const intendedAt = begin + time;
    const turn = quota.next(intendedAt);
    if (turn === 'over') break;
    await due(intendedAt, signal);
    while (open.size >= conditions.maxOpen && !signal.aborted) await oneEnded.promise;
    if (signal.aborted) break;
    const startedAt = latencyStart(intendedAt, performance.now());
    const one = measure(run, tally, startedAt, turn === 'measured').then(() => {
      open.delete(one);
      oneEnded.resolve();
      oneEnded = Promise.withResolvers();
    });
    open.add(one);
  }
  await Promise.all(open);
}

/** Lets the event loop go round even where the moment has passed: answers come in there. */
async function due(at: number, signal: AbortSignal): Promise<void> {
  const wait = at - performance.now();
  if (wait > 0) await rest(wait, signal);
  else await nextTurn();
}

/** Ends early, and without an error, when the measurement is broken off. */
async function rest(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}

async function measure(
  run: StepRun,
  tally: StepTally,
  startedAt: number,
  isMeasured: boolean,
): Promise<Outcome> {
  const outcome = await askOn(run, tally, tally.listener(isMeasured));
  tally.recordOutcome(outcome, startedAt, isMeasured);
  return outcome;
}

async function askOn(run: StepRun, tally: StepTally, hear: OnChunk): Promise<Outcome> {
  const { asker, conditions, signal } = run;
  const question = run.nextQuestion();
  let outcome = await asker.send(question, hear);
  if (outcome.kind === 'failed' && outcome.isUnheard) {
    tally.resent();
    outcome = await asker.send(question, hear);
  }
  for (let left = conditions.retries; left > 0 && mayTryAgain(outcome); left--) {
    tally.recordRetry();
    await rest(outcome.retryAfterMs, signal);
    outcome = await asker.send(question, hear);
  }
  return outcome;
}

function mayTryAgain(outcome: Outcome): outcome is Outcome & { kind: 'failed'; retryAfterMs: number } {
  return outcome.kind === 'failed' && outcome.retryAfterMs !== undefined;
}

/**
 * When requests are to start, in ms from now, without end: evenly, or as independent people come (Poisson), where
 * `random` gives numbers from 0 up to but not including 1.
 */
export function* arrivalTimes(
  rate: number,
  arrivals: Arrivals,
  random: () => number = Math.random,
): Generator<number, never> {
  const meanGap = 1000 / rate;
  let at = 0;
  for (let n = 1; ; n++) {
    yield at;
    // From the count, as a sum of many gaps would drift.
    at = arrivals === 'uniform' ? n * meanGap : at - Math.log(1 - random()) * meanGap;
  }
}

/** Node's timers are a millisecond coarse, and late by up to a little more than one. */
const TIMER_GRAIN_MS = 1.5;

/**
 * From when on the latency of a request counts: from its intended start, so that whoever could not send in time does
 * not make the server look faster. Within the grain of the timer a start is on time.
 */
export function latencyStart(intendedAt: number, sentAt: number): number {
  return sentAt - intendedAt <= TIMER_GRAIN_MS ? sentAt : intendedAt;
}

interface QuotaOptions {
  /** When the measuring begins, `performance.now()`; what starts before is warm-up. */
  readonly from: number;
  readonly until: number;
  /** How many requests are to be measured; null for as many as there is time for. */
  readonly requests: number | null;
}

type Phase = 'warm-up' | 'measured' | 'over';

/** Says of each request that is about to start what it is for. */
export class Quota {
  readonly #options: QuotaOptions;
  #measured = 0;

  constructor(options: QuotaOptions) {
    this.#options = options;
  }

  next(startsAt: number): Phase {
    const { from, until, requests } = this.#options;
    if (startsAt < from) return 'warm-up';
    if (startsAt >= until || (requests !== null && this.#measured >= requests)) return 'over';
    this.#measured += 1;
    return 'measured';
  }
}

type Client = StepReport['client'];

const RESOLUTION_MS = 5;

/** Looks at how busy this process is; what it gives ends the look and tells. */
export function measureClientLoad(): () => Client {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delays.enable();
  const before = { cpu: process.cpuUsage(), loop: performance.eventLoopUtilization(), at: performance.now() };
  return () => {
    delays.disable();
    const { user, system } = process.cpuUsage(before.cpu);
    const seen = {
      cpu: (user + system) / 1000 / (performance.now() - before.at),
      loop: performance.eventLoopUtilization(before.loop).utilization,
      lagMs: delays.count > 0 ? Math.max(0, delays.percentile(99) / 1e6 - RESOLUTION_MS) : 0,
    };
    return { ...seen, wasBottleneck: wasBottleneck(seen) };
  };
}

/** Whether the figures are those of this program rather than of the endpoint. */
export function wasBottleneck({ loop, lagMs }: Pick<Client, 'loop' | 'lagMs'>): boolean {
  return loop > 0.85 || lagMs > 20;
}
