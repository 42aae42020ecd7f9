import { styleText } from 'node:util';
import type { KeySeen } from '../../gateway/usage/usage-batch.ts';
import type { Key, KeyLimits } from '../../keys/key.ts';
import { getKeyStatus } from '../../keys/key-status.ts';
import { HOUR } from '../../settings/durations.ts';

/** To the minute, in UTC. */
export function formatTime(time: number | null, fallback: string): string {
  return time === null ? fallback : `${new Date(time).toISOString().slice(0, 16).replace('T', ' ')}Z`;
}

/** `2h ago`. */
export function formatAgo(moment: number, now: number): string {
  return now - moment < 60_000 ? 'just now' : `${formatSpan(now - moment)} ago`;
}

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

/** Only the limits of the key itself; the defaults are in the settings. */
export function formatLimits({
  requestsPerMinute,
  tokensPerMinute,
  tokensPerDay,
  concurrent,
}: KeyLimits): string {
  const own = [
    formatLimit(requestsPerMinute, 'requests/min'),
    formatLimit(tokensPerMinute, 'tokens/min'),
    formatLimit(tokensPerDay, 'tokens/day'),
    formatLimit(concurrent, 'concurrent'),
  ].filter((limit) => limit !== undefined);
  return own.join(', ') || '-';
}

function formatLimit(value: number | undefined, unit: string): string | undefined {
  return value === undefined ? undefined : `${value === 0 ? 'unlimited' : value} ${unit}`;
}

function formatSpan(ms: number): string {
  const hours = ms / HOUR;
  if (hours >= 48) return `${Math.round(hours / 24)}d`;
  return hours >= 1 ? `${Math.round(hours)}h` : `${Math.ceil(hours * 60)}m`;
}
