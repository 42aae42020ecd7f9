import { resolve } from 'node:path';
import { DAY } from '../settings/durations.ts';
import type { Settings } from '../settings/variables.ts';

/** The configuration of the store: sizes in bytes, times in seconds, as in the API. */
export interface StoreConfig {
  /** An absolute path: it holds the database and the folder of the contents. */
  readonly folder: string;
  /** 32 bytes; undefined if contents are not encrypted. */
  readonly key: Buffer | undefined;
  readonly maxFileSize: number;
  readonly maxSize: number;
  /** 0 is no limit. */
  readonly maxSizePerKey: number;
  /** Batches of one owner that have not ended; 0 is no limit. */
  readonly maxBatchesPerKey: number;
  readonly retention: number;
}

/** Whether there is a store is `settings.STORE`: a command may use one that has been turned off. */
export function storeConfig(settings: Settings, dataDir = settings.DATA_DIR ?? './data'): StoreConfig {
  return {
    folder: resolve(dataDir),
    key: settings.STORE_KEY === undefined ? undefined : Buffer.from(settings.STORE_KEY, 'hex'),
    maxFileSize: settings.MAX_FILE_SIZE,
    maxSize: settings.STORE_MAX_SIZE,
    maxSizePerKey: settings.STORE_MAX_SIZE_PER_KEY,
    maxBatchesPerKey: settings.MAX_BATCHES_PER_KEY,
    retention: (settings.STORE_RETENTION_DAYS * DAY) / 1000,
  };
}
