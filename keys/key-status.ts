import { DAY } from '../settings/durations.ts';
import type { Key } from './key.ts';

/** The status of a key at one moment. Times are milliseconds since 1970. */
export interface KeyStatus {
  readonly state: 'active' | 'disabled' | 'expired';
  /** The key is active and expires within 14 days. */
  readonly expiresSoon: boolean;
  /** The key is active and its secret is older than allowed. */
  readonly secretIsOld: boolean;
  /** How long the secret from before the last rotation stays valid; undefined if there is none. */
  readonly rotatingUntil: number | undefined;
}

const soon = 14 * DAY;

/** `maxAgeMs` is `KEY_MAX_AGE_DAYS`; by default a secret may have any age. */
export function getKeyStatus(key: Key, now: number, maxAgeMs = Infinity): KeyStatus {
  const { disabled, expires, created, previous } = key;
  const expired = expires !== null && expires <= now;
  const state = disabled ? 'disabled' : expired ? 'expired' : 'active';
  const rotating = state === 'active' && previous !== null && previous.validUntil > now;
  return {
    state,
    expiresSoon: state === 'active' && expires !== null && expires - now <= soon,
    secretIsOld: state === 'active' && created !== null && now - created > maxAgeMs,
    rotatingUntil: rotating ? previous.validUntil : undefined,
  };
}

/** A warning for a key that expires soon or whose secret is older than `maxAgeMs`; else undefined. */
export function keyWarning(key: Key, now: number, maxAgeMs: number | undefined): string | undefined {
  const { expiresSoon, secretIsOld } = getKeyStatus(key, now, maxAgeMs);
  const warnings: string[] = [];
  if (expiresSoon && key.expires !== null) warnings.push(`expires at ${formatTime(key.expires)}`);
  if (secretIsOld && key.created !== null && maxAgeMs !== undefined) {
    const [age, allowed] = [now - key.created, maxAgeMs].map((ms) => Math.floor(ms / DAY));
    warnings.push(
      `has a secret that is ${age} days old (KEY_MAX_AGE_DAYS is ${allowed}): corral keys rotate ${key.id}`,
    );
  }
  return warnings.length === 0 ? undefined : `key "${key.id}" ${warnings.join(' and ')}`;
}

function formatTime(time: number): string {
  return new Date(time).toISOString().replace(/\.000Z$/, 'Z');
}
