import type { Contender } from './contenders/start-contender.ts';
import { generateWindows, type Load, type LoadWindow } from './load-generator.ts';
import { comparedLoads } from './loads.ts';

/** Seconds after which a warm-up ends even if the cost does not stand still. */
export interface WarmUpLimits {
  /** For a contender that has just started: V8 optimizes code late, and in steps. */
  readonly firstSeconds: number;
  /** For a contender that is warm from another load. */
  readonly laterSeconds: number;
  /** The same if no goal compares it. */
  readonly informationSeconds: number;
}

export interface WarmUp {
  readonly windows: readonly LoadWindow[];
  /** CPU per request or event at the end. */
  readonly finalCost: number;
  /** The difference of the last spans, as a share. */
  readonly spread: number;
}

const WINDOW_SECONDS = 0.25;
const SPANS = 3;
const MAX_SPREAD = 0.04;

/** For a contender that has just started. */
export const warmUpFresh = (contender: Contender, maxSeconds: number): Promise<WarmUp> =>
  warmUp(contender, comparedLoads['plain-1k'], 1, maxSeconds);

/** For a contender that is warm from another load. */
export const warmUpFurther = (contender: Contender, load: Load, maxSeconds: number): Promise<WarmUp> =>
  warmUp(contender, load, 0.5, maxSeconds);

/** Puts a contender under a load until its CPU time per request or event stands still for three spans. */
async function warmUp(
  contender: Contender,
  load: Load,
  spanSeconds: number,
  maxSeconds: number,
): Promise<WarmUp> {
  const windows: LoadWindow[] = [];
  const windowsPerSpan = Math.round(spanSeconds / WINDOW_SECONDS);
  let spread = Number.POSITIVE_INFINITY;
  for await (const window of generateWindows(contender, load, WINDOW_SECONDS, maxSeconds)) {
    windows.push(window);
    spread = spreadOfCosts(windows, windowsPerSpan);
    if (spread <= MAX_SPREAD) break;
  }
  return { windows, finalCost: costOf(windows.slice(-SPANS * windowsPerSpan)), spread };
}

/** How much more the dearest of the last spans costs than the cheapest, as a share; infinite before the end of the third. */
export function spreadOfCosts(windows: readonly LoadWindow[], windowsPerSpan: number): number {
  const last = windows.slice(-SPANS * windowsPerSpan);
  if (last.length < SPANS * windowsPerSpan) return Number.POSITIVE_INFINITY;
  const costs = Array.from({ length: SPANS }, (_, span) =>
    costOf(last.slice(span * windowsPerSpan, (span + 1) * windowsPerSpan)),
  );
  return Math.max(...costs) / Math.min(...costs) - 1;
}

/** The number of requests before two windows in a row cost at most 20 % more than those at the end. */
export function requestsUntilWarm({ windows, finalCost }: Pick<WarmUp, 'windows' | 'finalCost'>): number {
  const isWarm = (window: LoadWindow | undefined) =>
    window === undefined || costOf([window]) <= 1.2 * finalCost;
  const first = windows.findIndex((window, n) => isWarm(window) && isWarm(windows[n + 1]));
  return windows.slice(0, first).reduce((sum, { requests }) => sum + requests, 0);
}

/** CPU µs per event of streams, else per request. */
export function costOf(windows: readonly LoadWindow[]): number {
  const sum = (value: (window: LoadWindow) => number) => windows.reduce((all, one) => all + value(one), 0);
  const count = sum(({ events }) => events) || sum(({ requests }) => requests);
  return (sum(({ cpuSeconds }) => cpuSeconds) * 1e6) / count;
}
