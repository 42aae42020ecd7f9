import { readFileSync } from 'node:fs';

export interface RoundsOptions<Item, Result> {
  /** The number of rounds that an item takes part in. */
  roundsOf(item: Item): number;
  /** Happens before the first round, because code that has just started is slow. */
  warmUp(item: Item): Promise<unknown>;
  measure(item: Item, round: number): Promise<Result>;
  onFailure(item: Item, error: unknown): void;
}

/**
 * Measures the items round by round. Each round starts with another item, so that none always follows the same one. An
 * item whose warm-up or measurement throws is left out completely.
 */
export async function measureInRounds<Item, Result>(
  items: readonly Item[],
  { roundsOf, warmUp, measure, onFailure }: RoundsOptions<Item, Result>,
): Promise<Map<Item, readonly Result[]>> {
  const results = new Map<Item, Result[]>(items.map((item) => [item, []]));
  const rounds = Math.max(0, ...items.map(roundsOf));
  for (let round = 0; round <= rounds; round++) {
    for (const item of rotate([...results.keys()], round)) {
      try {
        if (round === 0) await warmUp(item);
        else if (round <= roundsOf(item)) results.get(item)?.push(await measure(item, round));
      } catch (error) {
        results.delete(item);
        onFailure(item, error);
      }
    }
  }
  return results;
}

function rotate<T>(all: readonly T[], by: number): T[] {
  const first = all.length === 0 ? 0 : by % all.length;
  return [...all.slice(first), ...all.slice(0, first)];
}

/** The middle value, or the mean of the two in the middle; NaN for none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2;
}

/** The ratio of each round that both have been measured in. A round in which one of them did nothing has none. */
export function ratios(values: readonly number[], base: readonly number[]): number[] {
  return values
    .map((value, round) => value / (base[round] ?? Number.NaN))
    .filter((ratio) => Number.isFinite(ratio) && ratio > 0);
}

/** If the machine is slow for a while, it changes less than the ratio of medians. */
export const medianRatio = (values: readonly number[], base: readonly number[]): number =>
  median(ratios(values, base));

/** The accepted share of stolen CPU time during a measurement. With more, the result says more about other machines. */
const MAX_STOLEN = 0.03;
const MAX_ATTEMPTS = 6;

/**
 * Measures again if the host of a virtual machine gave too much CPU time to other machines meanwhile (`steal` in
 * proc_stat(5)). Returns the first undisturbed result, else the least disturbed one.
 */
export async function measureUndisturbed<T>(
  measure: () => Promise<T>,
  onDisturbed: (stolenShare: number) => void,
  readTimes: () => CpuTimes = readCpuTimes,
): Promise<T> {
  let best: { readonly result: T; readonly stolen: number } | undefined;
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const before = readTimes();
    const result = await measure();
    const stolen = stolenShare(before, readTimes());
    if (best === undefined || stolen < best.stolen) best = { result, stolen };
    if (best.stolen <= MAX_STOLEN) return best.result;
    onDisturbed(stolen);
  }
  return (best as { readonly result: T }).result;
}

/** Ticks since the machine was started. */
export interface CpuTimes {
  readonly all: number;
  readonly stolen: number;
}

function stolenShare(before: CpuTimes, after: CpuTimes): number {
  const all = after.all - before.all;
  return all > 0 ? (after.stolen - before.stolen) / all : 0;
}

/** user nice system idle iowait irq softirq steal; the time of guests is part of user. */
export function readCpuTimes(stat = readStat()): CpuTimes {
  const ticks = (/^cpu +(.*)/.exec(stat)?.[1] ?? '').split(' ').slice(0, 8).map(Number);
  return { all: ticks.reduce((sum, one) => sum + one, 0), stolen: ticks[7] ?? 0 };
}

function readStat(): string {
  try {
    return readFileSync('/proc/stat', 'utf8');
  } catch {
    return '';
  }
}

const startedAt = performance.now();

/** Writes a line to stderr, with the time since the start. */
export function logProgress(text: string): void {
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  const clock = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
  process.stderr.write(`${clock.padStart(5)} ${text}\n`);
}
