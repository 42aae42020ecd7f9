import { DAY } from '../settings/durations.ts';
import type { Key } from './key.ts';

/** How a key stands at one moment. Times are milliseconds since 1970. */
export interface KeyStatus {
  readonly state: 'active' | 'disabled' | 'expired';
  /** An active key ends within 14 days. */
  readonly expiresSoon: boolean;
  /** The secret of an active key is older than it may become. */
  readonly secretIsOld: boolean;
  /** Until when the secret from before the last rotation works; undefined where none does. */
  readonly rotatingUntil: number | undefined;
}

const soon = 14 * DAY;

/** `maxAgeMs` is `KEY_MAX_AGE_DAYS`; without it no secret is too old. */
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

/** What to say of a key that will soon stop, or whose secret is older than `maxAgeMs`; undefined where all is well. */
export function keyWarning(key: Key, now: number, maxAgeMs: number | undefined): string | undefined {
  const { expiresSoon, secretIsOld } = getKeyStatus(key, now, maxAgeMs);
  const worries: string[] = [];
  if (expiresSoon && key.expires !== null) worries.push(`expires at ${showTime(key.expires)}`);
  if (secretIsOld && key.created !== null && maxAgeMs !== undefined) {
    const [age, allowed] = [now - key.created, maxAgeMs].map((ms) => Math.floor(ms / DAY));
    worries.push(
      `has a secret that is ${age} days old (KEY_MAX_AGE_DAYS is ${allowed}): corral keys rotate ${key.id}`,
    );
  }
  return worries.length === 0 ? undefined : `key "${key.id}" ${worries.join(' and ')}`;
}

function showTime(time: number): string {
  return new Date(time).toISOString().replace(/\.000Z$/, 'Z');
}
