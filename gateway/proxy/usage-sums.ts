import { DAY } from '../../settings/durations.ts';

/** What one key used: sums over any number of requests. Times are milliseconds. */
export interface UsageSums {
  requests: number;
  /** Requests that ended with a status of 400 or more, or in a stream that could not be finished. */
  errors: number;
  /** Tokens read, `cached` included. */
  input: number;
  cached: number;
  output: number;
  queueMs: number;
  /** Time at the backend. */
  computeMs: number;
  /** The same as a share of the whole machine: one of four slots for a second counts a quarter. */
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

/** The columns, in the order in which they are stored and shown. */
export const sumNames = Object.keys(noUsage) as readonly (keyof UsageSums)[];

/** Name by name: it runs at the end of every request, and a loop over the names takes ten times as long. */
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

/** The day of a moment (ms since 1970) in UTC, `2026-11-20`: where budgets begin anew. */
export function utcDay(moment: number): string {
  if (moment < lastDay.from || moment >= lastDay.from + DAY) {
    const from = moment - (moment % DAY);
    lastDay = { from, name: new Date(from).toISOString().slice(0, 10) };
  }
  return lastDay.name;
}

/** Nearly every moment that is asked for lies in the same day. */
let lastDay = { from: 0, name: '1970-01-01' };
