import { HOUR } from '../../settings/durations.ts';

/** Tokens that somebody got for energy and money. */
export interface Work {
  /** What the model wrote. */
  readonly output: number;
  /** What it read and wrote; cached input was not read again. */
  readonly processed: number;
}

export interface KeyWork extends Work {
  /** Time of the whole machine: one of four slots for a second is a quarter of one. */
  readonly machineMs: number;
}

/** All that was spent and made up to a moment. */
export interface WorkTally extends Work {
  /** `performance.now()`. */
  readonly at: number;
  /** Undefined where no GPU tells its power. */
  readonly joules: number | undefined;
  readonly keys: ReadonlyMap<string, KeyWork>;
}

/** What a token took; undefined where nothing was made, or nothing is known of what was spent. */
export interface TokenCost {
  readonly joulesPerOutputToken: number | undefined;
  readonly joulesPerToken: number | undefined;
  readonly costPerMillionOutputTokens: number | undefined;
  readonly costPerMillionTokens: number | undefined;
}

interface Spent {
  readonly joules: number | undefined;
  readonly money: number | undefined;
}

/** What a token took between two moments. Idle time is spent, too: a machine that has little to do makes dear tokens. */
export function tokenCostBetween(from: WorkTally, to: WorkTally, costPerHour: number | undefined): TokenCost {
  return priceOf(spentBetween(from, to, costPerHour), workBetween(from, to));
}

/**
 * The same for each key that had something of the machine in between. Keys share all that was spent, idle time included,
 * as they shared the machine; so together they pay for all of it.
 */
export function tokenCostByKey(
  from: WorkTally,
  to: WorkTally,
  costPerHour: number | undefined,
): Map<string, TokenCost> {
  const spent = spentBetween(from, to, costPerHour);
  const had = [...to.keys].map(([id, now]) => [id, keyWorkBetween(from.keys.get(id), now)] as const);
  const machineMs = had.reduce((sum, [, work]) => sum + work.machineMs, 0);
  const busy = had.filter(([, work]) => work.machineMs > 0);
  return new Map(busy.map(([id, work]) => [id, priceOf(partOf(spent, work.machineMs / machineMs), work)]));
}

function spentBetween(from: WorkTally, to: WorkTally, costPerHour: number | undefined): Spent {
  return {
    joules: to.joules === undefined ? undefined : to.joules - (from.joules ?? 0),
    money: costPerHour === undefined ? undefined : (costPerHour * (to.at - from.at)) / HOUR,
  };
}

function workBetween(from: Work, to: Work): Work {
  return { output: to.output - from.output, processed: to.processed - from.processed };
}

function keyWorkBetween(from: KeyWork = { output: 0, processed: 0, machineMs: 0 }, to: KeyWork): KeyWork {
  return { ...workBetween(from, to), machineMs: to.machineMs - from.machineMs };
}

function partOf({ joules, money }: Spent, share: number): Spent {
  return { joules: joules && joules * share, money: money && money * share };
}

function priceOf({ joules, money }: Spent, { output, processed }: Work): TokenCost {
  return {
    joulesPerOutputToken: per(joules, output),
    joulesPerToken: per(joules, processed),
    costPerMillionOutputTokens: per(money, output / 1e6),
    costPerMillionTokens: per(money, processed / 1e6),
  };
}

function per(spent: number | undefined, made: number): number | undefined {
  return spent === undefined || made <= 0 ? undefined : spent / made;
}
