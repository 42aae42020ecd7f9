/** Enough for a steady middle, few enough to follow a change within a minute or two. */
const REMEMBERED = 31;
/** Until the first is known, ms. */
const UNKNOWN = 1000;

/**
 * How long requests held their slots lately, ms: the middle of the last ones. A mean would be what a single answer of an
 * hour makes it.
 */
export function createRecentServiceTime() {
  const samples: number[] = [];
  let next = 0;
  return {
    get ms(): number {
      const sorted = samples.toSorted((a, b) => a - b);
      return sorted[Math.floor(sorted.length / 2)] ?? UNKNOWN;
    },
    add(sample: number): void {
      samples[next] = sample;
      next = (next + 1) % REMEMBERED;
    },
  };
}
