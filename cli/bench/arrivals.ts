import type { Arrivals } from './plan.ts';

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
