import { styleText } from 'node:util';
import type { KeySeen } from '../../gateway/usage/usage-batch.ts';
import type { Key } from '../../keys/key.ts';
import { getKeyStatus } from '../../keys/key-status.ts';
import { formatAgo, formatSpan, formatTime } from '../format-values.ts';

/**
 * When the secret from before the last rotation was last used; undefined if it was not used since, or is no longer
 * valid.
 */
export function previousSecretLastUsed(key: Key, seen: KeySeen | undefined, now: number): number | undefined {
  const used = seen?.previousLastUsed ?? undefined;
  if (used === undefined || getKeyStatus(key, now).rotatingUntil === undefined) return undefined;
  return used >= (key.created ?? 0) ? used : undefined;
}

interface KeyUse {
  readonly seen: KeySeen | undefined;
  readonly maxAgeMs: number | undefined;
}

/** `active, expires in 5d`; coloured if stdout is a terminal. */
export function formatStatus(key: Key, now: number, { seen, maxAgeMs }: KeyUse): string {
  const { state, expiresSoon, secretIsOld, rotatingUntil } = getKeyStatus(key, now, maxAgeMs);
  const notes = [state === 'active' ? 'active' : styleText('red', state)];
  if (expiresSoon && key.expires !== null)
    notes.push(styleText('yellow', `expires in ${formatSpan(key.expires - now)}`));
  if (secretIsOld && key.created !== null)
    notes.push(styleText('yellow', `secret is ${formatSpan(now - key.created)} old`));
  if (rotatingUntil !== undefined)
    notes.push(styleText('cyan', `rotating until ${formatTime(rotatingUntil, '')}`));
  const oldUsed = previousSecretLastUsed(key, seen, now);
  if (oldUsed !== undefined)
    notes.push(styleText('yellow', `old secret last used ${formatAgo(oldUsed, now)}`));
  return notes.join(', ');
}
