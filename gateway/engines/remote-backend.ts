import { LiveFile } from '../../fs/live-file.ts';
import type { Backend, BackendAddress } from '../../health/backend.ts';
import type { Log } from '../../log/create-log.ts';

/** A llama-server that runs elsewhere. Its key is in a file and may be rotated: each request is sent with the current one. */
export class RemoteBackend implements Backend, Disposable {
  readonly address: BackendAddress;
  /** Called when the key has changed. */
  onKeyChange: () => void = () => {};
  readonly #log: Log;
  #key: LiveFile<string | undefined> | undefined;

  constructor(address: BackendAddress, keyFile: string | undefined, log: Log) {
    this.address = address;
    this.#log = log;
    this.setKeyFile(keyFile);
  }

  get apiKey(): string | undefined {
    return this.#key?.value;
  }

  /** Undefined if it needs no key. */
  setKeyFile(file: string | undefined): void {
    if (file === this.#key?.file) return;
    const before = this.apiKey;
    this.#key?.close();
    this.#key = file === undefined ? undefined : this.#open(file, before);
    const problem = this.#key?.problem;
    if (problem !== undefined) this.#reportProblem(problem);
  }

  [Symbol.dispose](): void {
    this.#key?.close();
  }

  #open(file: string, initial: string | undefined): LiveFile<string | undefined> {
    return new LiveFile<string | undefined>({
      file,
      initial,
      subject: 'key of a backend',
      parse: (snapshot) => parseBackendKey(snapshot?.text),
      isSame: (key, before) => key === before,
      onChange: () => {
        this.#log.info('the key of the backend was reloaded');
        this.onKeyChange();
      },
      onError: (problem) => this.#reportProblem(problem),
      onRecovered: (message) => this.#log.info(message),
    });
  }

  #reportProblem(problem: string): void {
    const consequence =
      this.apiKey === undefined ? 'requests are sent without a key' : 'the key of before stays in use';
    this.#log.error(`the key of the backend cannot be read: ${problem}; ${consequence}`);
  }
}

/** The key in the text of its file; undefined for a missing file. Throws an error with the reason if it is none. */
export function parseBackendKey(text: string | undefined): string {
  if (text === undefined) throw new Error('is missing');
  const key = text.trim();
  if (key === '') throw new Error('is empty');
  // Anything else cannot be sent in a header.
  if (!/^[\x21-\x7e]+$/.test(key))
    throw new Error('is not a key: it must be one line of ASCII without spaces');
  return key;
}
