import { type Fingerprint, type Key, KeyFileError } from './key.ts';
import { KeyRing } from './key-ring.ts';
import { type ParsedKeys, parseApiKeysVariable, parseKeys } from './parse-keys.ts';
import { fingerprint } from './secret.ts';
import {
  type FileWatch,
  fileSignature,
  permissionWarning,
  type Snapshot,
  takeSnapshot,
  takeSnapshotSync,
  watchFile,
} from './watched-file.ts';

interface KeyStoreOptions {
  /** A function is called before every reading, because the path may change: see keyFilePath. */
  readonly file: string | (() => string);
  /** The value of `API_KEYS`. */
  readonly inline?: string | undefined;
  /** Keys of the system itself that are in no file. */
  readonly builtInKeys?: readonly Key[] | undefined;
  /** Called after the keys were replaced by those of a changed file. */
  readonly onChange?: ((loaded: Loaded) => void) | undefined;
  /**
   * Called once per problem when the file cannot be used and the previous keys stay; not for a problem at the start.
   */
  readonly onError?: ((problem: string) => void) | undefined;
}

interface Loaded {
  readonly outcome: 'loaded';
  readonly keys: number;
  readonly warnings: readonly string[];
}

interface Kept {
  readonly outcome: 'kept';
  readonly keys: number;
  readonly problem: string;
}

type ReloadResult = Loaded | Kept;

/**
 * Reads the keys of a file, in either format, and of `API_KEYS`. Never throws: see `problem`. A missing file has no
 * keys.
 */
export function createKeyStore(options: KeyStoreOptions): KeyStore {
  return new KeyStore(options);
}

/** Keeps the ring up to date: a change of the file applies within a second, and an invalid file changes nothing. */
export class KeyStore {
  readonly #options: KeyStoreOptions;
  readonly #inline: ParsedKeys;
  readonly #own: readonly Key[];
  readonly #watch: FileWatch;
  #disk: KeysOnDisk = noKeys;
  #ring: KeyRing;
  #problem: string | undefined;
  #loadedAt: number | undefined;
  #failures = 0;
  #signature: string | undefined;
  #reading: Promise<unknown> = Promise.resolve();
  #checking: Promise<unknown> | undefined;

  constructor(options: KeyStoreOptions) {
    this.#options = options;
    this.#inline = parseApiKeysVariable(options.inline ?? '');
    this.#own = options.builtInKeys ?? [];
    this.#ring = new KeyRing([...this.#own, ...this.#inline.keys]);
    this.#apply(() => takeSnapshotSync(this.#file));
    this.#watch = watchFile(this.#file, () => {
      this.#checking ??= this.#reloadIfChanged()
        .catch((error: Error) => this.#reportFailure(error))
        .finally(() => {
          this.#checking = undefined;
        });
    });
  }

  /** The current keys. Read this anew for every request. */
  get ring(): KeyRing {
    return this.#ring;
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

  /** Skipped entries, unknown fields, a file mode that lets others read: each one line for the log. */
  get warnings(): readonly string[] {
    return [...this.#inline.warnings, ...this.#disk.warnings];
  }

  /** Reads the file now. Never throws. */
  async reload(): Promise<ReloadResult> {
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

  get #file(): string {
    const { file } = this.#options;
    return typeof file === 'string' ? file : file();
  }

  async #reloadIfChanged(): Promise<void> {
    if ((await fileSignature(this.#file)) !== this.#signature) await this.reload();
  }

  async #read(): Promise<ReloadResult> {
    const { onChange, onError } = this.#options;
    const file = this.#file;
    this.#signature = await fileSignature(file);
    const [before, known] = [this.#disk, this.#problem];
    const snapshot = await takeSnapshot(file).catch((error: Error) => error);
    const result = this.#apply(() => orThrow(snapshot));
    // An error of the volume can end without changing the signature: read again next time.
    if (result.outcome === 'kept') this.#signature = undefined;
    if (result.outcome === 'kept' && result.problem !== known) onError?.(result.problem);
    if (result.outcome === 'loaded' && this.#disk.digest !== before.digest) onChange?.(result);
    return result;
  }

  /** For failures that are not caused by the file: its path is unknown, or a callback has thrown. */
  #reportFailure({ message }: Error): Kept {
    const problem = `reading the keys failed: ${message}`;
    try {
      this.#options.onError?.(problem);
    } catch {
      // A failing callback must not stop the next reading.
    }
    return { outcome: 'kept', keys: this.#ring.keys.length, problem };
  }

  #apply(snapshot: () => Snapshot | undefined): ReloadResult {
    try {
      const disk = parseKeysOnDisk(this.#file, snapshot(), this.#disk);
      if (disk.digest !== this.#disk.digest)
        this.#ring = new KeyRing([...this.#own, ...disk.keys, ...this.#inline.keys]);
      this.#disk = disk;
      this.#problem = undefined;
      this.#loadedAt = Date.now();
      return { outcome: 'loaded', keys: this.#ring.keys.length, warnings: this.warnings };
    } catch (error) {
      this.#failures += 1;
      this.#problem = `${this.#file}: ${(error as Error).message}`;
      return { outcome: 'kept', keys: this.#ring.keys.length, problem: this.#problem };
    }
  }
}

function orThrow(snapshot: Snapshot | Error | undefined): Snapshot | undefined {
  if (snapshot instanceof Error) throw snapshot;
  return snapshot;
}

/** The last valid content of the key file. */
interface KeysOnDisk {
  readonly keys: readonly Key[];
  readonly warnings: readonly string[];
  /** Hash of the file's text, to recognize an unchanged file; undefined if there is no file. */
  readonly digest: Fingerprint | undefined;
}

const noKeys: KeysOnDisk = { keys: [], warnings: [], digest: undefined };

/**
 * Parses the current file. Throws a KeyFileError if its content must not replace the keys from `before`: it is
 * invalid, or it is missing or empty, as happens for a moment when a file is replaced by hand.
 */
function parseKeysOnDisk(file: string, snapshot: Snapshot | undefined, before: KeysOnDisk): KeysOnDisk {
  if (!snapshot) {
    if (before.digest === undefined) return noKeys;
    throw new KeyFileError('is missing: restore it; the previous keys stay in use until then');
  }
  if (before.keys.length > 0 && snapshot.text.trim() === '') {
    throw new KeyFileError('is empty: to remove all keys, write {"version":1,"keys":[]}');
  }
  const { keys, warnings } = parseKeys(snapshot.text);
  const modeWarning = permissionWarning(file, snapshot.mode);
  return {
    keys,
    warnings: modeWarning ? [...warnings, modeWarning] : warnings,
    digest: fingerprint(snapshot.text),
  };
}
