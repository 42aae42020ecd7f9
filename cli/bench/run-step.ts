import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { arrivalTimes, latencyStart } from './arrivals.ts';
import type { BenchClient, BenchRequest, OnChunk } from './bench-client.ts';
import { measureClientLoad } from './client-load.ts';
import type { Outcome } from './outcome.ts';
import type { Load, Step } from './plan.ts';
import { Quota } from './quota.ts';
import type { Conditions, StepReport } from './report.ts';
import { StepTally } from './step-tally.ts';

export interface StepRun {
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
