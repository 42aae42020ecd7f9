import type { StoreConfig } from './config.ts';
import type { Database } from './database.ts';
import { StoreLimitExceeded } from './errors.ts';

export interface StoreUsage {
  readonly files: number;
  readonly responses: number;
  readonly conversations: number;
  /** The bytes of all these, and of the results of batches that are not files yet. */
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

  /** The usage of one owner, or of all together. */
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
    const kept = this.#db.get(
      `SELECT coalesce(sum(responses), 0) AS responses, coalesce(sum(conversations), 0) AS conversations,
         coalesce(sum(bytes), 0) AS bytes FROM response_usage WHERE true ${where}`,
      ...values,
    );
    return {
      files: Number(files?.files),
      responses: Number(kept?.responses),
      conversations: Number(kept?.conversations),
      bytes: Number(files?.bytes) + Number(results?.bytes) + Number(kept?.bytes),
    };
  }

  usageByOwner(): OwnerUsage[] {
    const owners = this.#db.all(
      `SELECT owner FROM usage UNION SELECT owner FROM response_usage
       UNION SELECT owner FROM batches WHERE ended = 0 ORDER BY owner`,
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

  /** Within the transaction that stores something: throws StoreLimitExceeded if that was too much. */
  check(owner: string): void {
    const { limit, most, left } = this.room(owner);
    if (left < 0) throw new StoreLimitExceeded(limit, most);
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
