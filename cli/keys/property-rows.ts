import type { Key } from '../../keys/key.ts';
import { formatTime } from '../format-values.ts';
import { formatLimit, limitOptions } from './format-limits.ts';

/** `rpm  60 → 120`: one row per property that an update has changed. */
export function changedRows(before: Key, after: Key, now: number): string[][] {
  const old = new Map(propertyRows(before, now));
  return propertyRows(after, now)
    .filter(([name, text]) => old.get(name) !== text)
    .map(([name, text]) => [name, `${old.get(name)} → ${text}`]);
}

function propertyRows(key: Key, now: number): (readonly [name: string, text: string])[] {
  return [
    ['scopes', key.scopes.join(',') || 'none'],
    ['models', key.models.includes('*') ? 'all' : key.models.join(',')],
    ...limitOptions.map(({ option, name }) => [option, formatLimit(key, 'limits', name, now)] as const),
    ['users-from', key.usersFrom ?? 'none'],
    ...limitOptions.map(
      ({ option, name }) => [`user-${option}`, formatLimit(key, 'userLimits', name, now)] as const,
    ),
    ['expires', formatTime(key.expires, 'never')],
    ['priority', key.priority],
    ['note', JSON.stringify(key.note)],
  ];
}
