/** Where what there is no room for is counted. */
export const other = 'other';

/** Values that a label may take: the first so many that come, all later ones are `other`. */
export class BoundedLabel {
  readonly #most: number;
  readonly #known = new Set<string>();

  constructor(most: number) {
    this.#most = most;
  }

  of(value: string): string {
    if (this.#known.has(value)) return value;
    if (this.#known.size >= this.#most) return other;
    this.#known.add(value);
    return value;
  }
}
