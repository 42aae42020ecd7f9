import { addUsage, noUsage, type UsageSums, utcDay } from '../api/usage.ts';

/** The usage of one key on one day. */
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

/** The usage of one request, recorded at its end. */
export interface UsageEntry {
  readonly keyId: string;
  /** ms since 1970. */
  readonly at: number;
  /** The client used the secret from before the last rotation. */
  readonly previousSecret: boolean;
  readonly usage: Readonly<UsageSums>;
}

/** Usage that is not yet written. Small under any load: one row per key and day. */
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

  add({ keyId, at, previousSecret, usage }: UsageEntry): void {
    this.#add(keyId, utcDay(at), usage);
    this.#setSeen(keyId, at, previousSecret ? at : null);
  }

  /** Adds a batch that could not be written. */
  merge(rows: readonly UsageRow[], seen: readonly KeySeen[]): void {
    for (const row of rows) this.#add(row.keyId, row.day, row);
    for (const { keyId, lastUsed, previousLastUsed } of seen)
      this.#setSeen(keyId, lastUsed, previousLastUsed);
  }

  #add(keyId: string, day: string, usage: Readonly<UsageSums>): void {
    const id = `${day} ${keyId}`;
    const known = this.#rows.get(id);
    if (known) addUsage(known, usage);
    else this.#rows.set(id, { ...noUsage, ...usage, keyId, day });
  }

  #setSeen(keyId: string, lastUsed: number, previousLastUsed: number | null): void {
    const known = this.#seen.get(keyId);
    const next = { keyId, lastUsed, previousLastUsed };
    this.#seen.set(keyId, known ? latestUse(known, next) : next);
  }
}

/** The later of each time. */
export function latestUse(a: KeySeen, b: KeySeen): KeySeen {
  return {
    keyId: a.keyId,
    lastUsed: Math.max(a.lastUsed, b.lastUsed),
    previousLastUsed: Math.max(a.previousLastUsed ?? 0, b.previousLastUsed ?? 0) || null,
  };
}
