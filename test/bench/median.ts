/** The middle one, or between the two in the middle; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2;
}

/** The median of each round's ratio, which a machine that is slower for a while changes less than a ratio of medians. */
export function ratio(of: readonly number[], to: readonly number[]): number {
  return median(of.flatMap((value, round) => (to[round] === undefined ? [] : [value / to[round]])));
}
