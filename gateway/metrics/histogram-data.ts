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
