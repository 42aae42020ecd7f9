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
  /** A function is asked at every look, for where the place may change: see keyFilePath. */
  readonly file: string | (() => string);
  /** The value of `API_KEYS`. */
  readonly inline?: string | undefined;
  /** Keys of the house's own, which stand in no file. */
  readonly builtInKeys?: readonly Key[] | undefined;
  /** The ring was swapped for one read from another text. */
  readonly onChange?: ((loaded: Loaded) => void) | undefined;
  /** The file cannot be used and the keys from before stay. Called once for each problem, not for one at the opening. */
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
 * Opens the keys of a file, in either form, and of `API_KEYS`. Never throws: see `problem`. A file that does not exist
 * yet holds no keys.
 */
export function createKeyStore(options: KeyStoreOptions): KeyStore {
  return new KeyStore(options);
}

/** Keeps the ring fresh: a change of the file is served within a second, and a broken file changes nothing. */
export class KeyStore {
  readonly #options: KeyStoreOptions;
  readonly #inline: ParsedKeys;
  readonly #own: readonly Key[];
  readonly #watch: FileWatch;
  #disk: KeysOnDisk = noKeysYet;
  #ring: KeyRing;
  #problem: string | undefined;
  #loadedAt: number | undefined;
  #failures = 0;
  #signature: string | undefined;
  #reading: Promise<unknown> = Promise.resolve();
  #looking: Promise<unknown> | undefined;

  constructor(options: KeyStoreOptions) {
    this.#options = options;
    this.#inline = parseApiKeysVariable(options.inline ?? '');
    this.#own = options.builtInKeys ?? [];
    this.#ring = new KeyRing([...this.#own, ...this.#inline.keys]);
    this.#take(() => takeSnapshotSync(this.#file));
    this.#watch = watchFile(this.#file, () => {
      this.#looking ??= this.#look()
        .catch((error: Error) => this.#complain(error))
        .finally(() => {
          this.#looking = undefined;
        });
    });
  }

  /** The keys of this moment: take it anew for every request. */
  get ring(): KeyRing {
    return this.#ring;
  }

  /** Why the file as it stands is not what is served, and how to mend it; undefined while it is. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** When the file was last read with success, in milliseconds since 1970; undefined before. */
  get loadedAt(): number | undefined {
    return this.#loadedAt;
  }

  /** How many readings of the file failed. */
  get failures(): number {
    return this.#failures;
  }

  /** Entries that were skipped, a mode that lets others read the file: each worth a line in the log. */
  get warnings(): readonly string[] {
    return [...this.#inline.warnings, ...this.#disk.warnings];
  }

  /** Reads the file now. Never throws. */
  async reload(): Promise<ReloadResult> {
    // One after the other, or an older reading could overtake a newer one.
    const reading = this.#reading.then(() => this.#read()).catch((error: Error) => this.#complain(error));
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

  async #look(): Promise<void> {
    if ((await fileSignature(this.#file)) !== this.#signature) await this.reload();
  }

  async #read(): Promise<ReloadResult> {
    const { onChange, onError } = this.#options;
    const file = this.#file;
    this.#signature = await fileSignature(file);
    const [before, known] = [this.#disk, this.#problem];
    const snapshot = await takeSnapshot(file).catch((error: Error) => error);
    const result = this.#take(() => orThrow(snapshot));
    // A failure of the volume mends without a trace in the signature: look again.
    if (result.outcome === 'kept') this.#signature = undefined;
    if (result.outcome === 'kept' && result.problem !== known) onError?.(result.problem);
    if (result.outcome === 'loaded' && this.#disk.digest !== before.digest) onChange?.(result);
    return result;
  }

  /** Of what is no fault of the file: its place cannot be told, or somebody who was told of new keys has failed. */
  #complain({ message }: Error): Kept {
    const problem = `reading the keys failed: ${message}`;
    try {
      this.#options.onError?.(problem);
    } catch {
      // Whoever cannot hear of it must not keep the next change of the file from being read.
    }
    return { outcome: 'kept', keys: this.#ring.keys.length, problem };
  }

  #take(snapshot: () => Snapshot | undefined): ReloadResult {
    try {
      const disk = keysOnDisk(this.#file, snapshot(), this.#disk);
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

/** The last good reading of the key file. */
interface KeysOnDisk {
  readonly keys: readonly Key[];
  readonly warnings: readonly string[];
  /** Of the file's text, to know an unchanged one again; undefined where there is no file. */
  readonly digest: Fingerprint | undefined;
}

const noKeysYet: KeysOnDisk = { keys: [], warnings: [], digest: undefined };

/**
 * What the file says now. Throws a KeyFileError for what must not replace the keys from `before`: a broken file, and
 * one that vanished or was emptied, as happens for a moment when it is replaced by hand.
 */
function keysOnDisk(file: string, snapshot: Snapshot | undefined, before: KeysOnDisk): KeysOnDisk {
  if (!snapshot) {
    if (before.digest === undefined) return noKeysYet;
    throw new KeyFileError('is missing: restore it; the previous keys stay in use until then');
  }
  if (before.keys.length > 0 && snapshot.text.trim() === '') {
    throw new KeyFileError('is empty: to remove all keys, write {"version":1,"keys":[]}');
  }
  const { keys, warnings } = parseKeys(snapshot.text);
  const loose = permissionWarning(file, snapshot.mode);
  return { keys, warnings: loose ? [...warnings, loose] : warnings, digest: fingerprint(snapshot.text) };
}
