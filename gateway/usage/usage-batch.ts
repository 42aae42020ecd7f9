import { addUsage, noUsage, type UsageSums, utcDay } from '../api/usage.ts';

/** The usage of one key on one day, or the part of it that one of several models served. */
export interface UsageRow extends UsageSums {
  readonly keyId: string;
  readonly day: string;
  /** Empty: all models together. */
  readonly model: string;
  /** The line of one user; undefined: all users together. */
  readonly user?: string | undefined;
}

/** When a key, and its secret from before the last rotation, were last used; ms since 1970. */
export interface KeySeen {
  readonly keyId: string;
  lastUsed: number;
  previousLastUsed: number | null;
}

/** The usage of one request, recorded at its end. */
export interface UsageEntry {
  readonly keyId: string;
  /** The model that served it; undefined where there is only one. */
  readonly model?: string | undefined;
  /** The line of the user; undefined where the key does not tell its users apart. */
  readonly user?: string | undefined;
  /** ms since 1970. */
  readonly at: number;
  /** The client used the secret from before the last rotation. */
  readonly previousSecret: boolean;
  /** It is written at once instead of within a second: the batch that the request is a line of counts it at once, too. */
  readonly isUrgent?: boolean;
  readonly usage: Readonly<UsageSums>;
}

/** Usage that is not yet written. Small under any load: one row per key and day, and one per model and per user of these. */
export class UsageBatch {
  /** By day, then by key and model. */
  readonly #days = new Map<string, Map<string, UsageRow>>();
  readonly #seen = new Map<string, KeySeen>();

  get isEmpty(): boolean {
    return this.#days.size === 0;
  }

  get rows(): UsageRow[] {
    return [...this.#days.values()].flatMap((rows) => [...rows.values()]);
  }

  get seen(): KeySeen[] {
    return [...this.#seen.values()];
  }

  add({ keyId, model, user, at, previousSecret, usage }: UsageEntry): void {
    const day = utcDay(at);
    this.#add({ keyId, day, model: '' }, usage);
    if (model !== undefined) this.#add({ keyId, day, model }, usage);
    if (user !== undefined) this.#add({ keyId, day, model: '', user }, usage);
    recordUse(this.#seen, keyId, at, previousSecret ? at : null);
  }

  /** Adds a batch that could not be written. */
  merge(rows: readonly UsageRow[], seen: readonly KeySeen[]): void {
    for (const row of rows) this.#add(row, row);
    for (const { keyId, lastUsed, previousLastUsed } of seen)
      recordUse(this.#seen, keyId, lastUsed, previousLastUsed);
  }

  #add({ keyId, day, model, user }: RowName, usage: Readonly<UsageSums>): void {
    let rows = this.#days.get(day);
    if (rows === undefined) {
      rows = new Map();
      this.#days.set(day, rows);
    }
    // No id contains a tab.
    const name = model === '' && user === undefined ? keyId : `${keyId}\t${user ?? ''}\t${model}`;
    const known = rows.get(name);
    if (known) addUsage(known, usage);
    else rows.set(name, { ...noUsage, ...usage, keyId, day, model, user });
  }
}

type RowName = Pick<UsageRow, 'keyId' | 'day' | 'model' | 'user'>;

/** Keeps the later of each time. */
export function recordUse(
  seen: Map<string, KeySeen>,
  keyId: string,
  lastUsed: number,
  previousLastUsed: number | null,
): void {
  const known = seen.get(keyId);
  if (known === undefined) {
    seen.set(keyId, { keyId, lastUsed, previousLastUsed });
    return;
  }
  known.lastUsed = Math.max(known.lastUsed, lastUsed);
  if (previousLastUsed !== null)
    known.previousLastUsed = Math.max(known.previousLastUsed ?? 0, previousLastUsed);
}
