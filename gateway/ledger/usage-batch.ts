import { addUsage, dayOf, noUsage, type UsageSums } from './usage-sums.ts';

/** The sums of one key on one day since the last writing. */
export interface UsageRow extends UsageSums {
  readonly keyId: string;
  readonly day: string;
}

/** When a key, and its secret from before the last rotation, were last used; ms since 1970. */
export interface KeySeen {
  readonly keyId: string;
  readonly lastUsed: number;
  readonly previousLastUsed: number | null;
}

/** One request, as it is booked at its end. */
export interface Booking {
  readonly keyId: string;
  /** ms since 1970. */
  readonly at: number;
  /** The client came with the secret from before the last rotation. */
  readonly previousSecret: boolean;
  readonly usage: Readonly<UsageSums>;
}

/** What is booked and not yet written. Small, whatever the traffic: one row per key and day. */
export class UsageBatch {
  readonly #rows = new Map<string, UsageRow>();
  readonly #seen = new Map<string, KeySeen>();

  get isEmpty(): boolean {
    return this.#rows.size === 0;
  }

  get rows(): UsageRow[] {
    return [...this.#rows.values()];
  }

  get seen(): KeySeen[] {
    return [...this.#seen.values()];
  }

  book({ keyId, at, previousSecret, usage }: Booking): void {
    this.#add({ keyId, day: dayOf(at), ...usage });
    this.#see({ keyId, lastUsed: at, previousLastUsed: previousSecret ? at : null });
  }

  /** Takes back what could not be written. */
  merge(rows: readonly UsageRow[], seen: readonly KeySeen[]): void {
    for (const row of rows) this.#add(row);
    for (const one of seen) this.#see(one);
  }

  #add(row: UsageRow): void {
    const id = `${row.day} ${row.keyId}`;
    const known = this.#rows.get(id);
    if (known) addUsage(known, row);
    else this.#rows.set(id, { ...noUsage, ...row });
  }

  #see({ keyId, lastUsed, previousLastUsed }: KeySeen): void {
    const known = this.#seen.get(keyId);
    this.#seen.set(keyId, {
      keyId,
      lastUsed: Math.max(lastUsed, known?.lastUsed ?? 0),
      previousLastUsed: later(previousLastUsed, known?.previousLastUsed ?? null),
    });
  }
}

const later = (a: number | null, b: number | null) => (a === null ? b : b === null ? a : Math.max(a, b));
