import { randomBytes } from 'node:crypto';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import type { Fingerprint, Key } from '../../keys/key.ts';
import type { KeyRing } from '../../keys/key-ring.ts';
import { getKeyStatus } from '../../keys/key-status.ts';
import { fingerprint } from '../../keys/secret.ts';
import { HOUR } from '../../settings/durations.ts';
import type { GatewayContext } from '../proxy/gateway-context.ts';

/** Longer than a working day: an operator logs in once per day. */
const LIFETIME = 12 * HOUR;
const MAX_SESSIONS = 200;
const COOKIE = 'corral_session';
const COOKIE_PATH = '/dashboard';

/** A login with a key. */
export interface Session {
  readonly keyId: string;
  /** Of the secret used to log in. */
  readonly fingerprint: Fingerprint;
  /** When it expires, ms since 1970. */
  readonly expiresAt: number;
}

/** The sessions of the dashboard, in memory: they end with the process. */
export class Sessions {
  readonly #getKeyRing: () => KeyRing | undefined;
  /** By the hash of their id, so that the time of a lookup reveals nothing about ids. */
  readonly #sessions = new Map<string, Session>();

  /** `getKeyRing` returns the current keys; undefined if authentication is off. */
  constructor(getKeyRing: () => KeyRing | undefined) {
    this.#getKeyRing = getKeyRing;
  }

  /** Creates a session and returns its id. `previousSecret`: the login used the secret from before the last rotation. */
  create(key: Key, previousSecret: boolean, now: number): string {
    const id = randomBytes(32).toString('base64url');
    const used = previousSecret && key.previous ? key.previous.fingerprint : key.fingerprint;
    this.#sessions.set(fingerprint(id), { keyId: key.id, fingerprint: used, expiresAt: now + LIFETIME });
    for (const [oldest] of this.#sessions) {
      if (this.#sessions.size <= MAX_SESSIONS) break;
      this.#sessions.delete(oldest);
    }
    return id;
  }

  /** Undefined if there is none, or it is no longer valid. */
  find(id: string | undefined, now: number): Session | undefined {
    if (id === undefined) return undefined;
    const hash = fingerprint(id);
    const session = this.#sessions.get(hash);
    const ring = this.#getKeyRing();
    if (session === undefined) return undefined;
    if (ring && isSessionValid(session, ring, now)) return session;
    this.#sessions.delete(hash);
    return undefined;
  }

  delete(id: string | undefined): void {
    if (id !== undefined) this.#sessions.delete(fingerprint(id));
  }
}

/** Whether the login would still succeed: with the same secret, by a key with the scope `admin`. */
export function isSessionValid(
  { keyId, fingerprint, expiresAt }: Session,
  ring: KeyRing,
  now: number,
): boolean {
  const key = ring.keys.find(({ id }) => id === keyId);
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
