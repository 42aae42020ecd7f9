import type { FileHandle } from 'node:fs/promises';
import { type ContentFolder, writeFully } from './content-folder.ts';
import { FRAME_SIZE, type FrameCipher } from './frame-cipher.ts';
import type { StoredFile } from './stored-file.ts';

/** What was not known of a file before its content: a form may have it behind. */
export interface FileChanges {
  readonly filename?: string;
  readonly purpose?: string;
  /** In seconds after the creation, instead of `expiresAt`. */
  readonly expiresAfter?: number;
}

interface FileWriterOptions {
  readonly id: string;
  readonly contents: ContentFolder;
  /** Called before bytes are written, with the size that the file then has. Throws if they are too many. */
  readonly reserve: (bytes: number, size: number) => void;
  /** Records the file with its size. */
  readonly record: (bytes: number, changes: FileChanges) => StoredFile;
  /** Called at the end, whatever it is, with all bytes that were reserved. */
  readonly release: (bytes: number) => void;
}

/** Writes the content of a new file. The file exists when it is committed; what is not committed is removed. */
export class FileWriter implements AsyncDisposable {
  readonly #options: FileWriterOptions;
  readonly #handle: FileHandle;
  readonly #cipher: FrameCipher | undefined;
  /** Plaintext of the frame that is not full yet. */
  readonly #frame: Buffer;
  #framed = 0;
  #position = 0;
  #bytes = 0;
  #state: 'open' | 'committed' | 'closed' = 'open';

  constructor(handle: FileHandle, options: FileWriterOptions) {
    this.#handle = handle;
    this.#options = options;
    this.#cipher = options.contents.cipherFor(options.id);
    this.#frame = Buffer.alloc(this.#cipher === undefined ? 0 : FRAME_SIZE);
  }

  /** Resolves when the disk has taken the bytes. Calls must not overlap. Throws StoreLimitExceeded or StoreUnavailable. */
  async write(chunk: Uint8Array): Promise<void> {
    this.#options.reserve(chunk.length, this.#bytes + chunk.length);
    this.#bytes += chunk.length;
    if (this.#cipher === undefined) return this.#append(chunk);
    for (let done = 0; done < chunk.length; ) {
      const part = chunk.subarray(done, done + FRAME_SIZE - this.#framed);
      this.#frame.set(part, this.#framed);
      this.#framed += part.length;
      done += part.length;
      if (this.#framed === FRAME_SIZE) await this.#sealFrame(this.#cipher, this.#bytes - chunk.length + done);
    }
  }

  /** Resolves when the file would survive a power failure. */
  async commit(changes: FileChanges = {}): Promise<StoredFile> {
    const { contents, record } = this.#options;
    if (this.#cipher !== undefined && this.#framed > 0) await this.#sealFrame(this.#cipher, this.#bytes);
    await contents.guard(() => this.#handle.sync());
    await contents.sync();
    const file = record(this.#bytes, changes);
    this.#state = 'committed';
    return file;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#state === 'closed') return;
    const { id, contents, release } = this.#options;
    const isCommitted = this.#state === 'committed';
    this.#state = 'closed';
    release(this.#bytes);
    await this.#handle.close();
    if (!isCommitted) contents.remove(id);
  }

  async #sealFrame(cipher: FrameCipher, end: number): Promise<void> {
    const frame = cipher.seal(this.#frame.subarray(0, this.#framed), end - this.#framed);
    this.#framed = 0;
    await this.#append(frame);
  }

  async #append(bytes: Uint8Array): Promise<void> {
    await this.#options.contents.guard(() => writeFully(this.#handle, bytes, this.#position));
    this.#position += bytes.length;
  }
}
