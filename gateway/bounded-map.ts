/** A map of at most `max` entries: those that were set last. */
export class BoundedMap<K, V> extends Map<K, V> {
  readonly #max: number;

  constructor(max: number) {
    super();
    this.#max = max;
  }

  /** Makes the entry the newest, and drops the oldest one if there are too many. */
  override set(key: K, value: V): this {
    this.delete(key);
    super.set(key, value);
    if (this.size > this.#max)
      for (const oldest of this.keys()) {
        this.delete(oldest);
        break;
      }
    return this;
  }
}
