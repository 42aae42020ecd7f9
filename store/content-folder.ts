import { constants, readdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeFolder, makePrivate } from '../fs/folders.ts';
import { asStoreError } from './errors.ts';
import { FrameCipher } from './frame-cipher.ts';
import { isFileId } from './ids.ts';

/** The contents of files, one file each, named by id and readable by their owner only. */
export class ContentFolder {
  readonly #folder: string;
  readonly #storeKey: Buffer | undefined;

  constructor(folder: string, storeKey: Buffer | undefined) {
    this.#folder = folder;
    this.#storeKey = storeKey;
    try {
      makeFolder(folder, 0o700);
      makePrivate(folder, 0o700);
    } catch (error) {
      throw asStoreError(error, dirname(folder));
    }
  }

  /** Undefined if contents are not encrypted. */
  cipherFor(id: string): FrameCipher | undefined {
    return this.#storeKey && new FrameCipher(this.#storeKey, id);
  }

  /** Throws if there is one with this id. */
  async create(id: string): Promise<FileHandle> {
    return this.guard(async () => this.#leaveToOwner(await open(this.#path(id), 'wx', 0o600)));
  }

  /** For writing anywhere; created if it is missing. */
  async openForWriting(id: string): Promise<FileHandle> {
    const flags = constants.O_RDWR | constants.O_CREAT;
    return this.guard(async () => this.#leaveToOwner(await open(this.#path(id), flags, 0o600)));
  }

  async openForReading(id: string): Promise<FileHandle> {
    return open(this.#path(id), 'r');
  }

  /** Makes the names of new contents survive a power failure. Some network volumes do not support it. */
  async sync(): Promise<void> {
    await using handle = await open(this.#folder, 'r');
    await handle.sync().catch(() => undefined);
  }

  remove(id: string): void {
    this.#guardSync(() => rmSync(this.#path(id), { force: true }));
  }

  /** Removes what follows the first `length` bytes, if there is such a content. */
  truncate(id: string, length: number): void {
    if (length === 0) this.remove(id);
    else if (this.changedAt(id) !== undefined) this.#guardSync(() => truncateSync(this.#path(id), length));
  }

  /**
   * The contents in the folder, whether the database knows them or not. What has another name is somebody else's: `DATA_DIR` may
   * be a volume that had a folder of this name before.
   */
  ids(): string[] {
    return this.#guardSync(() => readdirSync(this.#folder)).filter(isFileId);
  }

  /** When the content last changed, in seconds since 1970; undefined if there is none. */
  changedAt(id: string): number | undefined {
    const stats = statSync(this.#path(id), { throwIfNoEntry: false });
    return stats && stats.mtimeMs / 1000;
  }

  /** Turns failures of the disk into StoreUnavailable. */
  async guard<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      throw asStoreError(error, this.#folder);
    }
  }

  /** The service must be able to use what root has created. */
  async #leaveToOwner(handle: FileHandle): Promise<FileHandle> {
    if (process.getuid?.() !== 0) return handle;
    const { uid, gid } = statSync(this.#folder);
    await handle.chown(uid, gid);
    return handle;
  }

  #guardSync<T>(action: () => T): T {
    try {
      return action();
    } catch (error) {
      throw asStoreError(error, this.#folder);
    }
  }

  #path(id: string): string {
    return join(this.#folder, id);
  }
}

/** A single write may write less than all of it. */
export async function writeFully(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}
