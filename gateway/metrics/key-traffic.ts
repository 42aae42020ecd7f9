import type { Booking } from '../ledger/usage-batch.ts';
import { addUsage, noUsage, type UsageSums } from '../ledger/usage-sums.ts';
import { BoundedLabel } from './bounded-label.ts';

/** What each key used since the gateway began, from the same bookings as the ledger. */
export class KeyTraffic {
  readonly #sums = new Map<string, UsageSums>();
  readonly #labels: BoundedLabel;

  /** `mostKeys` have figures of their own, the first that come; the rest are counted together. */
  constructor(mostKeys: number) {
    this.#labels = new BoundedLabel(mostKeys);
  }

  get all(): Iterable<readonly [string, Readonly<UsageSums>]> {
    return this.#sums;
  }

  book({ keyId, usage }: Booking): void {
    const label = this.#labels.of(keyId);
    const known = this.#sums.get(label);
    if (known) addUsage(known, usage);
    else this.#sums.set(label, { ...noUsage, ...usage });
  }
}
