import { createStream, type RotatingFileStream } from 'rotating-file-stream';
import { makeFolder } from '../fs/folders.ts';

export interface LogFilesConfig {
  /** Created if it does not exist. */
  readonly folder: string;
  readonly maxBytes: number;
  /** Rotated files, not counting the current one. */
  readonly maxFiles: number;
}

export interface LogFilesOptions extends LogFilesConfig {
  /** Called with the reason when writing fails, and with undefined when it works again. */
  readonly onProblem: (why: string | undefined) => void;
}

/** Buffer for a slow disk. Lines beyond it are dropped. */
const MAX_BUFFERED = 8 * 1024 ** 2;
const retryMs = 30_000;

/**
 * `corral.log` and the rotated files `corral.log.1` …, limited in size and number. Lines are dropped while writing
 * fails.
 */
export class LogFiles {
  readonly #options: LogFilesOptions;
  #stream: RotatingFileStream | undefined;
  #retryAt = 0;
  #failed = false;

  constructor(options: LogFilesOptions) {
    this.#options = options;
  }

  write(text: string): void {
    if (this.#stream === undefined) {
      if (performance.now() < this.#retryAt) return;
      this.#open();
    }
    const stream = this.#stream;
    if (stream === undefined || stream.writableLength > MAX_BUFFERED) return;
    stream.write(text, (error) => {
      if (!error) this.#recover();
    });
  }

  /** Resolves when everything is written, or writing has failed. */
  async close(): Promise<void> {
    const stream = this.#stream;
    this.#stream = undefined;
    this.#retryAt = Number.POSITIVE_INFINITY;
    if (stream === undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    stream.once('close', resolve).once('error', () => resolve());
    stream.end();
    await promise;
  }

  #open(): void {
    const { folder, maxBytes, maxFiles } = this.#options;
    try {
      makeFolder(folder);
    } catch (error) {
      this.#fail(undefined, error as Error);
      return;
    }
    const stream = createStream('corral.log', {
      path: folder,
      size: `${maxBytes}B`,
      rotate: maxFiles,
      mode: 0o600,
    });
    const fail = (error: Error) => this.#fail(stream, error);
    // A warning means that a rotation failed, and the file would grow without limit.
    stream.on('error', fail).on('warning', fail);
    this.#stream = stream;
  }

  #fail(stream: RotatingFileStream | undefined, error: Error): void {
    if (this.#stream !== stream) return;
    this.#stream = undefined;
    this.#retryAt = performance.now() + retryMs;
    stream?.destroy();
    if (!this.#failed) this.#options.onProblem(error.message);
    this.#failed = true;
  }

  #recover(): void {
    if (!this.#failed) return;
    this.#failed = false;
    this.#options.onProblem(undefined);
  }
}
