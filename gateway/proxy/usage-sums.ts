import { DAY } from '../../settings/durations.ts';

/** The usage of one key, over any number of requests. Times are milliseconds. */
export interface UsageSums {
  requests: number;
  /** Requests with a status of 400 or above, or with a stream that could not be completed. */
  errors: number;
  /** Including `cached`. */
  input: number;
  cached: number;
  output: number;
  queueMs: number;
  /** Time at the backend. */
  computeMs: number;
  /** The same as a share of the machine: one of four slots for a second counts as a quarter of a second. */
  machineMs: number;
}

export const noUsage: Readonly<UsageSums> = {
  requests: 0,
  errors: 0,
  input: 0,
  cached: 0,
  output: 0,
  queueMs: 0,
  computeMs: 0,
  machineMs: 0,
};

/** In the order of the stored columns. */
export const sumNames = Object.keys(noUsage) as readonly (keyof UsageSums)[];

/** Without a loop over the names, which takes ten times as long: it runs at the end of every request. */
export function addUsage(to: UsageSums, more: Readonly<UsageSums>): void {
  to.requests += more.requests;
  to.errors += more.errors;
  to.input += more.input;
  to.cached += more.cached;
  to.output += more.output;
  to.queueMs += more.queueMs;
  to.computeMs += more.computeMs;
  to.machineMs += more.machineMs;
}

/** The UTC day of a time in ms since 1970, such as `2026-11-20`. Daily budgets reset with it. */
export function utcDay(time: number): string {
  if (time < lastDay.from || time >= lastDay.from + DAY) {
    const from = time - (time % DAY);
    lastDay = { from, name: new Date(from).toISOString().slice(0, 10) };
  }
  return lastDay.name;
}

/** Cached, as nearly all calls are for the same day. */
let lastDay = { from: 0, name: '1970-01-01' };
