import { findWriteError, isDiskFull } from '../fs/folders.ts';

/** The store cannot be used as it is configured. The message says what is wrong and how to fix it. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
}

export type UnavailableReason = 'disk-full' | 'read-only' | 'no-permission' | 'busy' | 'io-error' | 'damaged';

/** The disk failed, not the request: nothing has changed, and the same may succeed later. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
  readonly reason: UnavailableReason;

  constructor(reason: UnavailableReason, cause: unknown) {
    super(`the store is unavailable: ${explanations[reason]} (${(cause as Error).message})`, { cause });
    this.reason = reason;
  }
}

const explanations: Readonly<Record<UnavailableReason, string>> = {
  'disk-full': 'the disk of DATA_DIR is full',
  'read-only': 'DATA_DIR is on a read-only volume',
  'no-permission': 'files in DATA_DIR may not be written',
  busy: 'another process has held its lock for too long',
  'io-error': 'reading or writing in DATA_DIR failed',
  damaged:
    'the database of the store is damaged: restore a backup, or move it away together with the folder "files" to begin anew',
};

/** A file, or all files of a key or of the store, would exceed their limit. */
export class StoreLimitExceeded extends Error {
  override readonly name = 'StoreLimitExceeded';
  readonly limit: 'file' | 'key' | 'store';
  /** The limit in bytes. */
  readonly bytes: number;

  constructor(limit: 'file' | 'key' | 'store', bytes: number) {
    super(`more than ${bytes} bytes for one ${limit}`);
    this.limit = limit;
    this.bytes = bytes;
  }
}

/** What a response is to continue, or an item that it refers to, was deleted while it was generated. Nothing is stored. */
export class HistoryDeleted extends Error {
  override readonly name = 'HistoryDeleted';
  /** The id of the response, the conversation or the item. */
  readonly id: string;

  constructor(id: string) {
    super(`${id} was deleted meanwhile`);
    this.id = id;
  }
}

/** The content of a file is missing, too short, or is not what was written. */
export class ContentError extends Error {
  override readonly name = 'ContentError';
}

const fileReasons: Readonly<Record<string, UnavailableReason>> = {
  ENOSPC: 'disk-full',
  EDQUOT: 'disk-full',
  EFBIG: 'disk-full',
  EROFS: 'read-only',
  EACCES: 'no-permission',
  EPERM: 'no-permission',
  EIO: 'io-error',
  EISDIR: 'io-error',
  ENOENT: 'io-error',
  ENOTDIR: 'io-error',
  ESTALE: 'io-error',
  EMFILE: 'io-error',
  ENFILE: 'io-error',
};

/** By the low byte of SQLite's error code, which is the kind of error. */
const databaseReasons: Readonly<Record<number, UnavailableReason>> = {
  5: 'busy',
  6: 'busy',
  8: 'read-only',
  10: 'io-error',
  11: 'damaged',
  13: 'disk-full',
  14: 'no-permission',
  26: 'damaged',
};

/** What an error of the file system or the database means for the store; other errors stay as they are. */
export function asStoreError(error: unknown, folder: string): unknown {
  const { code, errcode } = error as NodeJS.ErrnoException & { errcode?: number };
  const kind = code === 'ERR_SQLITE_ERROR' && errcode !== undefined ? errcode & 0xff : undefined;
  const reason = kind === undefined ? fileReasons[code ?? ''] : databaseReasons[kind];
  if (reason === undefined) return error;
  return new StoreUnavailable(kind === undefined ? reason : refine(reason, folder), error);
}

/** SQLite does not say why it cannot write: the file system does. */
function refine(reason: UnavailableReason, folder: string): UnavailableReason {
  if (reason === 'busy' || reason === 'disk-full' || reason === 'damaged') return reason;
  const trouble = findWriteError(folder);
  if (trouble === undefined) return reason;
  return isDiskFull(trouble) ? 'disk-full' : (fileReasons[trouble] ?? reason);
}
