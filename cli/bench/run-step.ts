import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { BenchClient, BenchRequest, OnChunk, Outcome } from './bench-client.ts';
import type { Arrivals, Conditions, Load, Step, StepReport } from './report.ts';
import { StepTally } from './step-tally.ts';

interface StepRun {
  readonly step: Step;
  readonly client: BenchClient;
  readonly nextRequest: () => BenchRequest;
  readonly conditions: Conditions;
  /** Ends the step; results until then are kept. */
  readonly signal: AbortSignal;
  readonly onStart: (tally: StepTally, from: number, until: number) => void;
}

/** A client pauses after a failure; otherwise the speed of rejections would be measured. */
const PAUSE_AFTER_FAILURE_MS = 100;

/** Undefined if it was interrupted before anything was measured. */
export async function runStep(run: StepRun): Promise<StepReport | undefined> {
  const { step, conditions, signal } = run;
  const startedAt = performance.now();
  const from = startedAt + conditions.warmupMs;
  const until = conditions.durationMs === null ? Number.POSITIVE_INFINITY : from + conditions.durationMs;
  const tally = new StepTally({ from, until, isStream: conditions.stream });
  const quota = new Quota({ from, until, requests: conditions.requests });
  run.onStart(tally, from, until);
  const endWatch = measureClientLoad();
  await offer(step.load, { run, tally, quota, startedAt });
  const at = performance.now();
  const client = endWatch();
  if (at <= from) return undefined;
  return tally.report(step, { at, isPartial: signal.aborted, client });
}

interface Offer {
  readonly run: StepRun;
  readonly tally: StepTally;
  readonly quota: Quota;
  readonly startedAt: number;
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
      const phase = quota.next(startsAt);
      if (phase === 'over') return;
      const outcome = await measure(run, tally, startsAt, phase === 'measured');
      if (outcome.kind === 'failed') await pause(PAUSE_AFTER_FAILURE_MS, signal);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, client));
}

async function offerByTime(
  times: Iterable<number>,
  { run, tally, quota, startedAt: startOfLoad }: Offer,
): Promise<void> {
  const { signal, conditions } = run;
  const open = new Set<Promise<unknown>>();
  let oneEnded = Promise.withResolvers<void>();
  for (const time of times) {
    const scheduledAt = startOfLoad + time;
    const phase = quota.next(scheduledAt);
    if (phase === 'over') break;
    await waitUntil(scheduledAt, signal);
    while (open.size >= conditions.maxOpen && !signal.aborted) await oneEnded.promise;
    if (signal.aborted) break;
    const startedAt = latencyStart(scheduledAt, performance.now());
    const one = measure(run, tally, startedAt, phase === 'measured').then(() => {
      open.delete(one);
      oneEnded.resolve();
      oneEnded = Promise.withResolvers();
    });
    open.add(one);
  }
  await Promise.all(open);
}

/** Yields to the event loop even when late, so that responses are processed. */
async function waitUntil(at: number, signal: AbortSignal): Promise<void> {
  const wait = at - performance.now();
  if (wait > 0) await pause(wait, signal);
  else await nextTurn();
}

/** Ends early without an error when the measurement is interrupted. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}

async function measure(
  run: StepRun,
  tally: StepTally,
  startedAt: number,
  isMeasured: boolean,
): Promise<Outcome> {
  const outcome = await sendWithRetries(run, tally, tally.listener(isMeasured));
  tally.recordOutcome(outcome, startedAt, isMeasured);
  return outcome;
}

async function sendWithRetries(run: StepRun, tally: StepTally, onChunk: OnChunk): Promise<Outcome> {
  const { client, conditions, signal } = run;
  const request = run.nextRequest();
  let outcome = await client.send(request, onChunk);
  if (outcome.kind === 'failed' && outcome.hadNoResponse) {
    tally.resent();
    outcome = await client.send(request, onChunk);
  }
  for (let left = conditions.retries; left > 0 && canRetry(outcome); left--) {
    tally.recordRetry();
    await pause(outcome.retryAfterMs, signal);
    outcome = await client.send(request, onChunk);
  }
  return outcome;
}

function canRetry(outcome: Outcome): outcome is Outcome & { kind: 'failed'; retryAfterMs: number } {
  return outcome.kind === 'failed' && outcome.retryAfterMs !== undefined;
}

/** Start times in ms from now: evenly spaced, or a Poisson process, for which `random` returns numbers in [0, 1). */
export function* arrivalTimes(
  rate: number,
  arrivals: Arrivals,
  random: () => number = Math.random,
): Generator<number, never> {
  const meanGap = 1000 / rate;
  let at = 0;
  for (let n = 1; ; n++) {
    yield at;
    // Computed from the count: a sum of many gaps would drift.
    at = arrivals === 'uniform' ? n * meanGap : at - Math.log(1 - random()) * meanGap;
  }
}

/** Node's timers are up to a little more than a millisecond late. */
const TIMER_GRAIN_MS = 1.5;

/**
 * Latency counts from the scheduled start, so that a late client does not make the server look faster. Within the
 * precision of timers, a start is on time.
 */
export function latencyStart(scheduledAt: number, sentAt: number): number {
  return sentAt - scheduledAt <= TIMER_GRAIN_MS ? sentAt : scheduledAt;
}

interface QuotaOptions {
  /** Start of the measurement, `performance.now()`; earlier requests are warm-up. */
  readonly from: number;
  readonly until: number;
  /** Number of requests to measure; null for no limit. */
  readonly requests: number | null;
}

type Phase = 'warm-up' | 'measured' | 'over';

/** Decides for each request whether it is warm-up, measured, or too late. */
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

/** Starts measuring the load of this process; the returned function ends it and returns the result. */
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

/** Whether this client, and not the endpoint, limited the result. */
export function wasBottleneck({ loop, lagMs }: Pick<Client, 'loop' | 'lagMs'>): boolean {
  return loop > 0.85 || lagMs > 20;
}
