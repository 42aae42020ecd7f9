import { explainFileError } from './file-error.ts';
import {
  type FileWatch,
  fileSignature,
  type Snapshot,
  takeSnapshot,
  takeSnapshotSync,
  watchFile,
} from './watched-file.ts';

interface LiveFileOptions<T> {
  /** A function is called before every reading, because the path may change. */
  readonly file: string | (() => string);
  /** What the file contains, for messages. */
  readonly subject: string;
  /** The value as long as there was no valid file. */
  readonly initial: T;
  /**
   * The value of the current content; the snapshot is undefined if the file is missing. Throws if that must not replace
   * the value from `before`. A promise where code has to be loaded for it.
   */
  parse(snapshot: Snapshot | undefined, before: T, file: string): T | Promise<T>;
  /** Whether a reading has changed nothing. */
  isSame(value: T, before: T): boolean;
  /** Called after a changed file was read. */
  onChange?(value: T): void;
  /** Called once per problem when the value stays; not for a problem at the start. */
  onError?(problem: string): void;
  /** Called when such a problem has ended without a change, which nothing else would say. */
  onRecovered?(message: string): void;
}

/**
 * The value of a file that others change: a change applies within a second, and an invalid file changes nothing. Never
 * throws: see `problem`.
 */
export class LiveFile<T> {
  /** Resolves when the file has been read. Unless `parse` returns a promise, it has been when the constructor returns. */
  readonly ready: Promise<void>;
  readonly #options: LiveFileOptions<T>;
  readonly #watch: FileWatch;
  #value: T;
  #problem: string | undefined;
  #loadedAt: number | undefined;
  #failures = 0;
  #signature: string | undefined;
  #reading: Promise<unknown>;
  #checking: Promise<unknown> | undefined;

  constructor(options: LiveFileOptions<T>) {
    this.#options = options;
    this.#value = options.initial;
    this.#reading = this.#apply(this.file, takeSnapshotSync);
    this.ready = this.#reading.then(() => {});
    this.#watch = watchFile(this.file, () => {
      this.#checking ??= this.#reloadIfChanged()
        .catch((error: Error) => this.#reportFailure(error))
        .finally(() => {
          this.#checking = undefined;
        });
    });
  }

  get file(): string {
    const { file } = this.#options;
    return typeof file === 'string' ? file : file();
  }

  get value(): T {
    return this.#value;
  }

  /** Why the current file is not in use, and how to fix it; undefined if it is in use. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** When the file was last read successfully, in milliseconds since 1970. */
  get loadedAt(): number | undefined {
    return this.#loadedAt;
  }

  /** How often reading the file has failed. */
  get failures(): number {
    return this.#failures;
  }

  /** Reads the file now. Returns why its content is not in use; undefined if it is. */
  async reload(): Promise<string | undefined> {
    // One reading at a time: an older one must not overtake a newer one.
    const reading = this.#reading
      .then(() => this.#read())
      .catch((error: Error) => this.#reportFailure(error));
    this.#reading = reading;
    return reading;
  }

  close(): void {
    this.#watch.close();
  }

  async #reloadIfChanged(): Promise<void> {
    if ((await fileSignature(this.file)) !== this.#signature) await this.reload();
  }

  async #read(): Promise<string | undefined> {
    const { onChange, onError, onRecovered, isSame } = this.#options;
    const file = this.file;
    this.#signature = await fileSignature(file);
    const [before, known] = [this.#value, this.#problem];
    const snapshot = await takeSnapshot(file).catch((error: Error) => error);
    const problem = await this.#apply(file, () => orThrow(snapshot));
    // An error of the volume can end without changing the signature: read again next time.
    if (problem !== undefined) this.#signature = undefined;
    if (problem !== undefined && problem !== known) onError?.(problem);
    if (problem !== undefined) return problem;
    if (!isSame(this.#value, before)) onChange?.(this.#value);
    else if (known !== undefined) onRecovered?.(`${file} is valid again, and the same as before`);
    return undefined;
  }

  /** For failures that are not caused by the file: its path is unknown, or a callback has thrown. */
  #reportFailure({ message }: Error): string {
    const problem = `reading the ${this.#options.subject} failed: ${message}`;
    try {
      this.#options.onError?.(problem);
    } catch {
      // A failing callback must not stop the next reading.
    }
    return problem;
  }

  async #apply(file: string, read: (file: string) => Snapshot | undefined): Promise<string | undefined> {
    try {
      const parsed = this.#options.parse(read(file), this.#value, file);
      this.#value = parsed instanceof Promise ? await parsed : parsed;
      this.#problem = undefined;
      this.#loadedAt = Date.now();
    } catch (error) {
      this.#failures += 1;
      this.#problem = `${file}: ${explainFileError(error) ?? (error as Error).message}`;
    }
    return this.#problem;
  }
}

function orThrow(snapshot: Snapshot | Error | undefined): Snapshot | undefined {
  if (snapshot instanceof Error) throw snapshot;
  return snapshot;
}
