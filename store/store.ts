import { join } from 'node:path';
import { makeFolder } from '../fs/folders.ts';
import { Batches } from './batches.ts';
import type { StoreConfig } from './config.ts';
import { ContentFolder } from './content-folder.ts';
import { Database, type StoreRole } from './database.ts';
import { asStoreError } from './errors.ts';
import { Files } from './files.ts';
import { checkKey } from './key-check.ts';
import { type OwnerUsage, Quota, type Room, type StoreUsage } from './quota.ts';
import { type PurgeScope, type Removed, Retention } from './retention.ts';
import { readStatistics, type StoreStatistics } from './statistics.ts';

/** The name of the database in `DATA_DIR`. */
export const storeFileName = 'store.sqlite';

/** What clients have stored: their files and batches. */
export class Store implements Disposable {
  readonly files: Files;
  readonly batches: Batches;
  readonly #db: Database;
  readonly #quota: Quota;
  readonly #retention: Retention;
  readonly #maxSize: number;

  constructor(db: Database, contents: ContentFolder, config: StoreConfig) {
    this.#db = db;
    this.#quota = new Quota(db, config);
    this.#maxSize = config.maxSize;
    this.files = new Files(db, contents, this.#quota, config);
    this.batches = new Batches(db, this.files, contents, config.key);
    this.#retention = new Retention(db, contents, this.files, config.retention);
  }

  /** Changes when another process commits. */
  get dataVersion(): number {
    return this.#db.version;
  }

  /** Of all owners together if none is given. */
  usage(owner?: string): StoreUsage {
    return this.#quota.usage(owner);
  }

  /** Of each owner that has stored something. */
  usageByOwner(): OwnerUsage[] {
    return this.#quota.usageByOwner();
  }

  /** For metrics: a few short reads. */
  statistics(): StoreStatistics {
    return { ...readStatistics(this.#db), bytes: this.usage().bytes, maxBytes: this.#maxSize };
  }

  /** How much an owner may still store. Results are stored in any case: ask before a line is begun. */
  room(owner: string): Room {
    return this.#quota.room(owner);
  }

  /** Removes expired files, batches that ended before the retention, and content that a crash has left behind. */
  sweep(at?: number): Removed {
    return this.#retention.sweep(at);
  }

  /** Removes everything in a scope, unfinished batches too. */
  purge(scope: PurgeScope): Removed {
    return this.#retention.purge(scope);
  }

  [Symbol.dispose](): void {
    this.#db[Symbol.dispose]();
  }
}

/** Throws a StoreError if the configuration is wrong, or StoreUnavailable. */
export function openStore(config: StoreConfig, { role }: { readonly role: StoreRole }): Store {
  try {
    makeFolder(config.folder, 0o700);
  } catch (error) {
    throw asStoreError(error, config.folder);
  }
  const db = new Database(join(config.folder, storeFileName), role);
  try {
    // A command reads no contents, and has to be able to remove what nobody has the key of any more.
    if (role !== 'command') checkKey(db, config);
    return new Store(db, new ContentFolder(join(config.folder, 'files'), config.key), config);
  } catch (error) {
    db[Symbol.dispose]();
    throw error;
  }
}
