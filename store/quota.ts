import type { StoreConfig } from './config.ts';
import type { Database } from './database.ts';
import { StoreLimitExceeded } from './errors.ts';

/** Files, and the results of batches that are not files yet. */
export interface StoreUsage {
  readonly files: number;
  readonly bytes: number;
}

export interface OwnerUsage extends StoreUsage {
  readonly owner: string;
}

export interface Room {
  /** The limit that leaves the fewest bytes. */
  readonly limit: 'key' | 'store';
  readonly most: number;
  /** Not above 0 if nothing more may be stored. */
  readonly left: number;
}

/** How much is stored, and how much may be. */
export class Quota {
  readonly #db: Database;
  readonly #config: StoreConfig;
  /** Bytes of uploads to this process that are not committed, by owner. */
  readonly #uploads = new Map<string, number>();

  constructor(db: Database, config: StoreConfig) {
    this.#db = db;
    this.#config = config;
  }

  /** Of all owners together if none is given. */
  usage(owner?: string): StoreUsage {
    const [where, values] = owner === undefined ? ['', []] : ['AND owner = ?', [owner]];
    const files = this.#db.get(
      `SELECT coalesce(sum(files), 0) AS files, coalesce(sum(bytes), 0) AS bytes FROM usage WHERE true ${where}`,
      ...values,
    );
    const results = this.#db.get(
      `SELECT coalesce(sum(output_size + error_size), 0) AS bytes FROM batches WHERE ended = 0 ${where}`,
      ...values,
    );
    return { files: Number(files?.files), bytes: Number(files?.bytes) + Number(results?.bytes) };
  }

  usageByOwner(): OwnerUsage[] {
    const owners = this.#db.all(
      'SELECT owner FROM usage UNION SELECT owner FROM batches WHERE ended = 0 ORDER BY owner',
    );
    return owners.map((row) => String(row.owner)).map((owner) => ({ owner, ...this.usage(owner) }));
  }

  /** How much an owner may still store. */
  room(owner: string): Room {
    const { maxSize, maxSizePerKey } = this.#config;
    const left = maxSize - this.usage().bytes - this.#uploadsOf();
    if (maxSizePerKey === 0) return { limit: 'store', most: maxSize, left };
    const ownLeft = maxSizePerKey - this.usage(owner).bytes - this.#uploadsOf(owner);
    return ownLeft < left
      ? { limit: 'key', most: maxSizePerKey, left: ownLeft }
      : { limit: 'store', most: maxSize, left };
  }

  /** Counts bytes of an upload. Throws StoreLimitExceeded if there is no room for them. */
  reserve(owner: string, bytes: number): void {
    const { limit, most, left } = this.room(owner);
    if (bytes > left || left <= 0) throw new StoreLimitExceeded(limit, most);
    this.#uploads.set(owner, (this.#uploads.get(owner) ?? 0) + bytes);
  }

  release(owner: string, bytes: number): void {
    const rest = (this.#uploads.get(owner) ?? 0) - bytes;
    if (rest > 0) this.#uploads.set(owner, rest);
    else this.#uploads.delete(owner);
  }

  #uploadsOf(owner?: string): number {
    if (owner !== undefined) return this.#uploads.get(owner) ?? 0;
    return this.#uploads.values().reduce((sum, bytes) => sum + bytes, 0);
  }
}
