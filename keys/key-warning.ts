import { DAY } from '../settings/durations.ts';
import type { Key } from './key.ts';
import { getKeyStatus } from './key-status.ts';

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
