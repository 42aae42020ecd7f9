import { addUsage, noUsage, type UsageSums } from '../proxy/usage-sums.ts';
import type { UsageEntry } from '../usage/usage-batch.ts';
import { BoundedLabel } from './bounded-label.ts';

export interface KeySums {
  readonly labels: { readonly key: string };
  readonly sums: UsageSums;
}

/** What each key used since the gateway began, from the same bookings as the ledger. */
export class KeyTraffic {
  readonly #figures = new Map<string, KeySums>();
  readonly #labels: BoundedLabel;

  /** `mostKeys` have figures of their own, the first that come; the rest are counted together. */
  constructor(mostKeys: number) {
    this.#labels = new BoundedLabel(mostKeys);
  }

  get all(): Iterable<KeySums> {
    return this.#figures.values();
  }

  record({ keyId, usage }: UsageEntry): void {
    const key = this.#labels.of(keyId);
    const known = this.#figures.get(key);
    if (known) addUsage(known.sums, usage);
    else this.#figures.set(key, { labels: { key }, sums: { ...noUsage, ...usage } });
  }
}
