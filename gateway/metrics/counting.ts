/** The counts of a histogram as plain numbers: an observation costs a few comparisons, cheap enough for the hot path. */
export class HistogramData {
  readonly #bounds: readonly number[];
  /** Per bucket, not cumulative; the last bucket has no upper bound. */
  readonly #counts: Float64Array;
  #sum = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    let bucket = 0;
    while (value > (this.#bounds[bucket] ?? Infinity)) bucket += 1;
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#sum += value;
  }

  get sum(): number {
    return this.#sum;
  }

  /** As in Prometheus: the number of values up to each bound; the last element is the total. */
  get cumulativeCounts(): number[] {
    let total = 0;
    return Array.from(this.#counts, (count) => {
      total += count;
      return total;
    });
  }
}

/** The label value for everything beyond the limit. */
const other = 'other';

/**
 * Limits the number of values of a label, and so the number of series: the first `max` values are kept, all later ones
 * become `other`.
 */
export class BoundedLabel {
  readonly #max: number;
  readonly #known = new Set<string>();

  constructor(max: number) {
    this.#max = max;
  }

  limit(value: string): string {
    if (this.#known.has(value)) return value;
    if (this.#known.size >= this.#max) return other;
    this.#known.add(value);
    return value;
  }
}
