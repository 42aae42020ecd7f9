/**
 * A collection of what comes and goes with each request: insertion returns the key for the removal, and keys are used again.
 *
 * Not a Set: that makes a new table every few dozen changes, and each old table, once the garbage collector has moved it to
 * the old generation, keeps the next one alive and with it all requests that were in it (docs/performance.md).
 */
export class Slab<T> {
  readonly #values: (T | undefined)[] = [];
  readonly #free: number[] = [];

  get size(): number {
    return this.#values.length - this.#free.length;
  }

  insert(value: T): number {
    const key = this.#free.pop() ?? this.#values.length;
    this.#values[key] = value;
    return key;
  }

  /** To be called once for each key. */
  remove(key: number): void {
    this.#values[key] = undefined;
    this.#free.push(key);
  }

  /** In no particular order. Values may be inserted and removed meanwhile. */
  *[Symbol.iterator](): Generator<T, undefined> {
    for (const value of this.#values) if (value !== undefined) yield value;
  }
}
