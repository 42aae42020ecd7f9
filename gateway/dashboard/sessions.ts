import { randomBytes } from 'node:crypto';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import type { Fingerprint, Key } from '../../keys/key.ts';
import type { KeyRing } from '../../keys/key-ring.ts';
import { getKeyStatus } from '../../keys/key-status.ts';
import { fingerprint } from '../../keys/secret.ts';
import { HOUR } from '../../settings/durations.ts';
import type { GatewayContext } from '../proxy/gateway-context.ts';
import { MAX_SESSIONS, type Session, SessionFile } from './session-file.ts';

/** Longer than a working day: an operator logs in once per day. */
const LIFETIME = 12 * HOUR;
const COOKIE = 'corral_session';
const COOKIE_PATH = '/dashboard';

/** The identities that signed in with tokens, with the rights that they have now. */
export interface Identities {
  readonly ids: Iterable<string>;
  find(id: string, now: number): Key | undefined;
}

export interface SessionsOptions {
  /** Returns the current keys; undefined if authentication is off. */
  readonly getKeyRing: () => KeyRing | undefined;
  readonly identities?: Identities | undefined;
  /** Where they outlast the process. */
  readonly file: string;
}

/** The sessions of the dashboard. Those of keys outlast a restart of the gateway, and are known to all that share its folder. */
export class Sessions {
  readonly #getKeyRing: () => KeyRing | undefined;
  readonly #identities: Identities | undefined;
  /** By the hash of their id, so that the time of a lookup reveals nothing about ids. */
  readonly #file: SessionFile;
  /** Those that were valid here: once they are not, they have ended for good. */
  readonly #valid = new Set<string>();

  constructor({ getKeyRing, identities, file }: SessionsOptions) {
    this.#getKeyRing = getKeyRing;
    this.#identities = identities;
    this.#file = new SessionFile(file);
  }

  /**
   * Creates a session and returns its id. It ends with the token that was used, if it was one. `previousSecret`: the login
   * used the secret from before the last rotation.
   */
  create(key: Key, previousSecret: boolean, now: number): string {
    const id = randomBytes(32).toString('base64url');
    const used = previousSecret && key.previous ? key.previous.fingerprint : key.fingerprint;
    const expiresAt = Math.min(now + LIFETIME, key.expires ?? Infinity);
    const hash = fingerprint(id);
    this.#file.set(hash, { keyId: key.id, fingerprint: used, expiresAt });
    this.#rememberValid(hash);
    return id;
  }

  #rememberValid(hash: string): void {
    this.#valid.add(hash);
    for (const oldest of this.#valid) {
      if (this.#valid.size <= MAX_SESSIONS) return;
      this.#valid.delete(oldest);
    }
  }

  /** Undefined if there is none, or it is no longer valid. */
  find(id: string | undefined, now: number): Session | undefined {
    if (id === undefined) return undefined;
    const hash = fingerprint(id);
    const session = this.#file.get(hash);
    const ring = this.#getKeyRing();
    if (session === undefined) return undefined;
    if (ring && isSessionValid(session, ring, now, this.#identities)) {
      this.#rememberValid(hash);
      return session;
    }
    // One that was never valid here may belong to a key that only another gateway knows so far.
    if (this.#valid.delete(hash) || now >= session.expiresAt) this.#remove(hash);
    return undefined;
  }

  delete(id: string | undefined): void {
    if (id !== undefined) this.#remove(fingerprint(id));
  }

  #remove(hash: string): void {
    if (this.#file.get(hash) !== undefined) this.#file.set(hash, undefined);
  }

  /** Resolves when the file is written. */
  flush(): Promise<void> {
    return this.#file.flush();
  }
}

/** Whether the login would still succeed: with the same secret, by a key with the scope `admin`. */
export function isSessionValid(
  { keyId, fingerprint, expiresAt }: Session,
  ring: KeyRing,
  now: number,
  identities?: Identities,
): boolean {
  const key = ring.keys.find(({ id }) => id === keyId) ?? identities?.find(keyId, now);
  if (key === undefined || now >= expiresAt) return false;
  const isAdmin = getKeyStatus(key, now).state === 'active' && key.scopes.includes('admin');
  return isAdmin && acceptsSecret(key, fingerprint, now);
}

function acceptsSecret({ fingerprint, previous }: Key, used: Fingerprint, now: number): boolean {
  return used === fingerprint || (used === previous?.fingerprint && now < previous.validUntil);
}

export const getSessionId = (c: GatewayContext) => getCookie(c, COOKIE);

export function getSession(c: GatewayContext, sessions: Sessions): Session | undefined {
  return sessions.find(getSessionId(c), Date.now());
}

/** Scripts cannot read the cookie, and pages of other sites do not send it. `secure`: the browser uses https. */
export function setSessionCookie(c: GatewayContext, id: string, secure: boolean): void {
  const maxAge = LIFETIME / 1000;
  setCookie(c, COOKIE, id, { httpOnly: true, sameSite: 'Strict', secure, path: COOKIE_PATH, maxAge });
}

export function deleteSessionCookie(c: GatewayContext): void {
  deleteCookie(c, COOKIE, { path: COOKIE_PATH });
}
