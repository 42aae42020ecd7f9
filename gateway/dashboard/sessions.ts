import { randomBytes } from 'node:crypto';
import type { Key } from '../../keys/key.ts';
import type { KeyRing } from '../../keys/key-ring.ts';
import { fingerprint } from '../../keys/secret.ts';
import { HOUR } from '../../settings/durations.ts';
import { isSessionValid, type Session } from './session.ts';

/** A working day and a bit: who comes back the next morning shows the key again. */
const SESSION_DURATION = 12 * HOUR;
/** More browsers than this nobody has; the oldest goes. */
const MOST = 200;

/** The sessions of the dashboard, in memory: they end with the process. */
export class Sessions {
  readonly #ring: () => KeyRing | undefined;
  /** By the hash of their id, so that looking one up tells nothing of the others. */
  readonly #all = new Map<string, Session>();

  /** `ring` gives the keys of the moment; undefined where authentication is off. */
  constructor(ring: () => KeyRing | undefined) {
    this.#ring = ring;
  }

  /** Opens one for who has shown this key, with the secret from before its last rotation or today's; answers its id. */
  create(key: Key, withPrevious: boolean, now: number): string {
    const id = randomBytes(32).toString('base64url');
    const shown = withPrevious && key.previous ? key.previous.fingerprint : key.fingerprint;
    this.#all.set(fingerprint(id), { keyId: key.id, fingerprint: shown, until: now + SESSION_DURATION });
    for (const [oldest] of this.#all) {
      if (this.#all.size <= MOST) break;
      this.#all.delete(oldest);
    }
    return id;
  }

  /** The session of that id, as long as its key may administer. */
  find(id: string | undefined, now: number): Session | undefined {
    if (id === undefined) return undefined;
    const print = fingerprint(id);
    const session = this.#all.get(print);
    const ring = this.#ring();
    if (session === undefined) return undefined;
    if (ring && isSessionValid(session, ring, now)) return session;
    this.#all.delete(print);
    return undefined;
  }

  delete(id: string | undefined): void {
    if (id !== undefined) this.#all.delete(fingerprint(id));
  }
}

/** Seconds that a browser is to keep the cookie. */
export const sessionSeconds = SESSION_DURATION / 1000;
