/** The label value for everything beyond the limit. */
export const other = 'other';

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
