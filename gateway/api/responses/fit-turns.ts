export interface FitLimits {
  /** The most tokens that the prompt may have. */
  readonly tokens: number;
  /**
   * More is dropped than needed, by less than two of these: the same turns stay while a conversation grows, so that the engine
   * finds them in its prompt cache.
   */
  readonly step: number;
}

export interface Fit {
  /** How many turns are dropped. */
  readonly turns: number;
  /** What is left, as counted; undefined if it could not be counted. */
  readonly tokens: number | undefined;
}

/** Counts are cheap, but not free. */
const MAX_COUNTS = 10;
/** So often the next place is estimated; after that it is the middle. */
const ESTIMATES = 4;
/** Prompts that are estimated at so many times the limit are certainly too long and not counted. */
const CERTAIN = 16;

interface Measured {
  readonly turns: number;
  readonly tokens: number;
}

/**
 * How many of the first turns have to be dropped, found with few counts: tokens are nearly proportional to estimates. `sizes`
 * has the estimated tokens of the prompt without any turn, without the first one, and so on. If nothing fits, all turns but the
 * last are dropped.
 */
export async function fitTurns(
  sizes: readonly number[],
  { tokens: limit, step }: FitLimits,
  count: (turns: number) => Promise<number | undefined>,
): Promise<Fit> {
  const last = sizes.length - 1;
  const first = firstWorthCounting(sizes, limit, step);
  const tokens = await count(first);
  if (tokens === undefined || tokens <= limit || first === last) return { turns: first, tokens };
  const target = tokens - Math.ceil((tokens - limit) / step) * step;
  let tooLong: Measured = { turns: first, tokens };
  let fitting: Measured | undefined;
  for (let counts = 1; counts < MAX_COUNTS; counts++) {
    const end = fitting?.turns ?? last + 1;
    if (end - tooLong.turns <= 1) break;
    const turns =
      counts <= ESTIMATES ? estimate(sizes, target, tooLong, fitting) : Math.floor((tooLong.turns + end) / 2);
    const counted = await count(turns);
    if (counted === undefined) return { turns, tokens: undefined };
    if (counted <= target) fitting = { turns, tokens: counted };
    else tooLong = { turns, tokens: counted };
  }
  if (fitting) return isGreedy(tooLong, fitting, limit, step) ? tooLong : fitting;
  return tooLong.turns === last ? tooLong : { turns: last, tokens: await count(last) };
}

/** Whether a long turn was dropped that would have fitted: it would be missed more than the prompt cache. */
function isGreedy(before: Measured, fitting: Measured, limit: number, step: number): boolean {
  const isNext = before.turns === fitting.turns - 1;
  return isNext && before.tokens <= limit && before.tokens - fitting.tokens > step;
}

/** In steps, too, so that a growing conversation begins at the same turn for a while. */
function firstWorthCounting(sizes: readonly number[], limit: number, step: number): number {
  const [all = 0] = sizes;
  const excess = all - limit * CERTAIN;
  if (excess <= 0) return 0;
  const certainStep = step * CERTAIN;
  const target = all - Math.ceil(excess / certainStep) * certainStep;
  const first = sizes.findIndex((size) => size <= target);
  return first === -1 ? sizes.length - 1 : first;
}

/** The first place between the two that probably fits. */
function estimate(
  sizes: readonly number[],
  target: number,
  tooLong: Measured,
  fitting: Measured | undefined,
): number {
  const sizeAt = (turns: number) => sizes[turns] ?? 0;
  const from = sizeAt(tooLong.turns);
  const rate = fitting
    ? (tooLong.tokens - fitting.tokens) / Math.max(from - sizeAt(fitting.turns), 1)
    : tooLong.tokens / Math.max(from, 1);
  const end = fitting?.turns ?? sizes.length;
  for (let turns = tooLong.turns + 1; turns < end; turns++)
    if (tooLong.tokens - (from - sizeAt(turns)) * rate <= target) return turns;
  return end - 1;
}
