import type { Fingerprint, Key } from '../../keys/key.ts';
import type { KeyRing } from '../../keys/key-ring.ts';
import { getKeyStatus } from '../../keys/key-status.ts';

/** What a browser may do because somebody has shown it a key. */
export interface Session {
  readonly keyId: string;
  /** Of the secret that was shown. */
  readonly fingerprint: Fingerprint;
  /** When it ends in any case, ms since 1970. */
  readonly until: number;
}

/** Whether what opened the session would still open it: its key, with that secret, may administer at `now`. */
export function isSessionValid({ keyId, fingerprint, until }: Session, ring: KeyRing, now: number): boolean {
  const key = ring.keys.find(({ id }) => id === keyId);
  if (key === undefined || now >= until) return false;
  return (
    getKeyStatus(key, now).state === 'active' &&
    key.scopes.includes('admin') &&
    opensWith(key, fingerprint, now)
  );
}

function opensWith({ fingerprint: current, previous }: Key, shown: Fingerprint, now: number): boolean {
  return shown === current || (shown === previous?.fingerprint && now < previous.validUntil);
}
