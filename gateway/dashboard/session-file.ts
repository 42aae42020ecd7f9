import { statSync } from 'node:fs';
import { readSmallFile } from '../../fs/read-small-file.ts';
import { updateFile } from '../../fs/update-file.ts';
import type { Fingerprint } from '../../keys/key.ts';

/** A login with a key. */
export interface Session {
  readonly keyId: string;
  /** Of the secret used to log in. */
  readonly fingerprint: Fingerprint;
  /** When it expires, ms since 1970. */
  readonly expiresAt: number;
}

/** The oldest are dropped. */
export const MAX_SESSIONS = 200;

/**
 * The sessions, by the hash of their id, with which nobody can log in. They outlast the process, and gateways that share the
 * folder have them in common. Without a writable folder they end with the process.
 */
export class SessionFile {
  readonly #path: string;
  /** As they were read last, and from which state of the file. */
  #stored = new Map<string, Session>();
  #state = '';
  /** Changes that are not in the file yet; undefined: the session has ended. */
  readonly #unwritten = new Map<string, Session | undefined>();
  #writing = Promise.resolve();

  constructor(path: string) {
    this.#path = path;
  }

  get(hash: string): Session | undefined {
    return this.#unwritten.has(hash) ? this.#unwritten.get(hash) : this.#read().get(hash);
  }

  /** Applies at once, and is written later. Undefined ends the session. */
  set(hash: string, session: Session | undefined): void {
    this.#unwritten.delete(hash);
    this.#unwritten.set(hash, session);
    dropOldest(this.#unwritten);
    this.#writing = this.#writing.then(() => this.#write()).catch(() => {});
  }

  /** Resolves when everything is written. */
  flush(): Promise<void> {
    return this.#writing;
  }

  /** Another gateway may have changed it. Those read before remain if it cannot be read. */
  #read(): ReadonlyMap<string, Session> {
    try {
      const state = stateOf(this.#path);
      if (state !== this.#state) this.#stored = parse(readSmallFile(this.#path));
      this.#state = state;
    } catch {}
    return this.#stored;
  }

  async #write(): Promise<void> {
    const changes = [...this.#unwritten];
    if (changes.length === 0) return;
    await updateFile(this.#path, (text) => {
      const sessions = parse(text);
      for (const [hash, session] of changes) {
        sessions.delete(hash);
        if (session !== undefined) sessions.set(hash, session);
      }
      dropOldest(sessions);
      return JSON.stringify([...sessions]);
    });
    for (const [hash, session] of changes)
      if (this.#unwritten.get(hash) === session) this.#unwritten.delete(hash);
  }
}

function dropOldest(sessions: Map<string, unknown>): void {
  for (const [oldest] of sessions) {
    if (sessions.size <= MAX_SESSIONS) return;
    sessions.delete(oldest);
  }
}

/** Another one for each content. */
function stateOf(path: string): string {
  const { ino, size, mtimeNs } = statSync(path, { bigint: true });
  return `${ino} ${size} ${mtimeNs}`;
}

/** Empty for a text that we do not understand. */
function parse(text: string): Map<string, Session> {
  try {
    const stored: unknown = JSON.parse(text);
    return new Map(Array.isArray(stored) ? stored.filter(isStoredSession) : []);
  } catch {
    return new Map();
  }
}

function isStoredSession(entry: unknown): entry is [string, Session] {
  if (!Array.isArray(entry) || entry.length !== 2 || typeof entry[0] !== 'string') return false;
  const { keyId, fingerprint, expiresAt } = (entry[1] ?? {}) as Record<string, unknown>;
  return typeof keyId === 'string' && typeof fingerprint === 'string' && typeof expiresAt === 'number';
}
