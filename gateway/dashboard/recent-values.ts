/** The values of the last while, as many of them as are needed to tell their quantiles. */
export class RecentValues {
  readonly #forMs: number;
  readonly #most: number;
  readonly #values: { readonly at: number; readonly value: number }[] = [];

  /** Beyond `most` the oldest go early: quantiles of so many hardly change by more. */
  constructor(forMs: number, most: number) {
    this.#forMs = forMs;
    this.#most = most;
  }

  add(value: number, at: number): void {
    this.#values.push({ at, value });
    if (this.#values.length > this.#most) this.#values.shift();
  }

  /** The value that this part of all does not exceed, such as 0.95; null where there is none. */
  quantiles(parts: readonly number[], now: number): (number | null)[] {
    const stale = this.#values.findIndex(({ at }) => at > now - this.#forMs);
    this.#values.splice(0, stale === -1 ? this.#values.length : stale);
    const sorted = this.#values.map(({ value }) => value).sort((a, b) => a - b);
    return parts.map((part) => sorted[Math.max(Math.ceil(part * sorted.length) - 1, 0)] ?? null);
  }
}
