import { LiveFile } from '../fs/live-file.ts';
import { permissionWarning, type Snapshot } from '../fs/watched-file.ts';
import { type Fingerprint, type Key, KeyFileError } from './key.ts';
import { KeyRing } from './key-ring.ts';
import { parseApiKeysVariable, parseKeys } from './parse-keys.ts';
import { fingerprint } from './secret.ts';

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
  /** Called when such a problem has ended without a change. */
  readonly onRecovered?: ((message: string) => void) | undefined;
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
export async function createKeyStore(options: KeyStoreOptions): Promise<KeyStore> {
  const store = new KeyStore(options);
  await store.ready;
  return store;
}

/** Keeps the ring up to date: a change of the file applies within a second, and an invalid file changes nothing. */
export class KeyStore {
  readonly #inlineWarnings: readonly string[];
  readonly #live: LiveFile<KeysOnDisk>;

  constructor({ file, inline = '', builtInKeys = [], onChange, onError, onRecovered }: KeyStoreOptions) {
    const fromVariable = parseApiKeysVariable(inline);
    this.#inlineWarnings = fromVariable.warnings;
    const createRing = (keys: readonly Key[]) => new KeyRing([...builtInKeys, ...keys, ...fromVariable.keys]);
    this.#live = new LiveFile<KeysOnDisk>({
      file,
      subject: 'keys',
      initial: { keys: [], ring: createRing([]), warnings: [], digest: undefined },
      parse: (snapshot, before, path) => parseKeysOnDisk(path, snapshot, { before, createRing }),
      isSame: (value, before) => value.digest === before.digest,
      onChange: () => onChange?.(this.#loaded()),
      onError: (problem) => onError?.(problem),
      onRecovered: (message) => onRecovered?.(message),
    });
  }

  /** Resolves when the file has been read. */
  get ready(): Promise<void> {
    return this.#live.ready;
  }

  /** The current keys. Read this anew for every request. */
  get ring(): KeyRing {
    return this.#live.value.ring;
  }

  /** Why the current file is not in use, and how to fix it; undefined if it is in use. */
  get problem(): string | undefined {
    return this.#live.problem;
  }

  /** When the file was last read successfully, in milliseconds since 1970. */
  get loadedAt(): number | undefined {
    return this.#live.loadedAt;
  }

  /** How often reading the file has failed. */
  get failures(): number {
    return this.#live.failures;
  }

  /** Skipped entries, unknown fields, a file mode that lets others read: each one line for the log. */
  get warnings(): readonly string[] {
    return [...this.#inlineWarnings, ...this.#live.value.warnings];
  }

  /** Reads the file now. Never throws. */
  async reload(): Promise<ReloadResult> {
    const problem = await this.#live.reload();
    return problem === undefined ? this.#loaded() : { outcome: 'kept', keys: this.ring.keys.length, problem };
  }

  close(): void {
    this.#live.close();
  }

  #loaded(): Loaded {
    return { outcome: 'loaded', keys: this.ring.keys.length, warnings: this.warnings };
  }
}

/** The last valid content of the key file. */
interface KeysOnDisk {
  readonly keys: readonly Key[];
  /** These keys and those that are in no file. */
  readonly ring: KeyRing;
  readonly warnings: readonly string[];
  /** Hash of the file's text, to recognize an unchanged file; undefined if there is no file. */
  readonly digest: Fingerprint | undefined;
}

interface ParseContext {
  readonly before: KeysOnDisk;
  readonly createRing: (keys: readonly Key[]) => KeyRing;
}

/**
 * Parses the current file. Throws a KeyFileError if its content must not replace the keys from `before`: it is
 * invalid, or it is missing or empty, as happens for a moment when a file is replaced by hand.
 */
async function parseKeysOnDisk(
  file: string,
  snapshot: Snapshot | undefined,
  { before, createRing }: ParseContext,
): Promise<KeysOnDisk> {
  if (!snapshot) {
    if (before.digest === undefined) return before;
    throw new KeyFileError('is missing: restore it; the previous keys stay in use until then');
  }
  if (before.keys.length > 0 && snapshot.text.trim() === '') {
    throw new KeyFileError('is empty: to remove all keys, write {"version":1,"keys":[]}');
  }
  const { keys, warnings } = await parseKeys(snapshot.text);
  const modeWarning = permissionWarning(file, snapshot.mode);
  const digest = fingerprint(snapshot.text);
  return {
    keys,
    ring: digest === before.digest ? before.ring : createRing(keys),
    warnings: [...warnings.map((warning) => `${file}: ${warning}`), ...(modeWarning ? [modeWarning] : [])],
    digest,
  };
}
