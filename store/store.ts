import { join } from 'node:path';
import { makeFolder } from '../fs/folders.ts';
import { Batches } from './batches.ts';
import type { StoreConfig } from './config.ts';
import { ContentFolder } from './content-folder.ts';
import { Conversations } from './conversations.ts';
import { Database, type StoreRole } from './database.ts';
import { asStoreError } from './errors.ts';
import { Files } from './files.ts';
import { checkKey } from './key-check.ts';
import { type OwnerUsage, Quota, type Room, type StoreUsage } from './quota.ts';
import { Reserve } from './reserve.ts';
import { createResponseParts } from './response-parts.ts';
import { Responses } from './responses.ts';
import { type PurgeScope, type Removed, Retention } from './retention.ts';
import { readStatistics, type StoreStatistics } from './statistics.ts';

/** The name of the database in `DATA_DIR`. */
export const storeFileName = 'store.sqlite';

/** What clients have stored: their files, batches, responses and conversations. */
export class Store implements Disposable {
  readonly files: Files;
  readonly batches: Batches;
  readonly responses: Responses;
  readonly conversations: Conversations;
  readonly #db: Database;
  readonly #quota: Quota;
  readonly #retention: Retention;
  readonly #maxSize: number;

  constructor(db: Database, contents: ContentFolder, config: StoreConfig) {
    const reserve = new Reserve(config.folder);
    this.#db = db;
    this.#quota = new Quota(db, config);
    this.#maxSize = config.maxSize;
    this.files = new Files(db, contents, this.#quota, reserve, config);
    this.batches = new Batches(db, this.files, contents, reserve, config);
    const parts = createResponseParts(db, this.#quota, reserve, config.key);
    this.conversations = new Conversations(parts);
    this.responses = new Responses(parts, this.conversations);
    this.#retention = new Retention(db, contents, this.files, parts, config.retention);
  }

  /** Changes when another process commits. */
  get dataVersion(): number {
    return this.#db.version;
  }

  /** The usage of one owner, or of all together. */
  usage(owner?: string): StoreUsage {
    return this.#quota.usage(owner);
  }

  /** The usage of each owner that has stored something. */
  usageByOwner(): OwnerUsage[] {
    return this.#quota.usageByOwner();
  }

  /** For metrics: a few short reads. */
  statistics(): StoreStatistics {
    const { responses, conversations, bytes } = this.usage();
    return { ...readStatistics(this.#db), responses, conversations, bytes, maxBytes: this.#maxSize };
  }

  /** How much an owner may still store. Results are stored in any case: ask before a line is begun. */
  room(owner: string): Room {
    return this.#quota.room(owner);
  }

  /** Removes what has expired, and content that a crash has left behind. */
  sweep(at?: number): Promise<Removed> {
    return this.#retention.sweep(at);
  }

  /** What `purge` would remove, and the bytes of files and results. */
  previewPurge(scope: PurgeScope): Removed & { readonly bytes: number } {
    return this.#retention.preview(scope);
  }

  /** Removes everything in a scope, unfinished batches too. */
  purge(scope: PurgeScope): Promise<Removed> {
    return this.#retention.purge(scope);
  }

  /** Removes only responses and conversations. */
  purgeResponses(scope: PurgeScope): Promise<Pick<Removed, 'responses' | 'conversations'>> {
    return this.#retention.purgeResponses(scope);
  }

  /** Makes durable what other processes have stored. */
  sync(): void {
    this.#db.sync();
  }

  [Symbol.dispose](): void {
    this.#db[Symbol.dispose]();
  }
}

interface OpenOptions {
  readonly role: StoreRole;
  /** Most commands do not, so that they can remove what nobody has the key of any more. */
  readonly readsContents?: boolean;
}

/** Throws a StoreError if the configuration is wrong, or StoreUnavailable. */
export function openStore(
  config: StoreConfig,
  { role, readsContents = role !== 'command' }: OpenOptions,
): Store {
  try {
    makeFolder(config.folder, 0o700);
  } catch (error) {
    throw asStoreError(error, config.folder);
  }
  const db = new Database(join(config.folder, storeFileName), role);
  try {
    if (readsContents) checkKey(db, config, role !== 'command');
    return new Store(db, new ContentFolder(join(config.folder, 'files'), config.key), config);
  } catch (error) {
    db[Symbol.dispose]();
    throw error;
  }
}
