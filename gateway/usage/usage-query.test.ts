import { describe, expect, it } from 'vitest';
import { noUsage } from '../api/usage.ts';
import { addUnwritten, parseGroups, parseSince, parseUntil } from './usage-query.ts';

const now = Date.parse('2026-11-20T10:00:00Z');

describe('parseSince', () => {
  it.each([
    ['0d', '2026-11-20'],
    ['7d', '2026-11-13'],
    ['12h', '2026-11-19'],
    ['90d', '2026-08-22'],
    ['2026-11-01', '2026-11-01'],
    ['2026-11-01T23:30:00-02:00', '2026-11-02'],
    ['99999d', '1970-01-01'],
    ['2026-09', '2026-09-01'],
  ])('%s', (text, day) => expect(parseSince(text, now)).toBe(day));

  it.each(['', '7', 'week', '2026-13-01', '-7d'])('rejects %j', (text) =>
    expect(parseSince(text, now)).toBeUndefined(),
  );
});

describe('parseUntil', () => {
  it.each([
    ['2026-12-01', '2026-12-01'],
    ['2026-12', '2026-12-01'],
    ['2026-12-01T00:00:01Z', '2026-12-02'],
    ['0d', '2026-11-21'],
    ['10h', '2026-11-20'],
  ])('%s', (text, day) => expect(parseUntil(text, now)).toBe(day));

  it.each(['', 'soon', '2026-13'])('rejects %j', (text) => expect(parseUntil(text, now)).toBeUndefined());
});

describe('parseGroups', () => {
  it.each([
    ['key', ['key']],
    ['month,key', ['month', 'key']],
    ['day, key, model', ['day', 'key', 'model']],
  ])('%s', (text, groups) => expect(parseGroups(text)).toEqual(groups));

  it.each(['', 'week', 'key,week', 'key,key', 'day,month'])('rejects %j', (text) =>
    expect(parseGroups(text)).toBeUndefined(),
  );
});

describe('addUnwritten', () => {
  const row = (keyId: string, day: string, requests: number) => ({
    ...{ ...noUsage, keyId, day, requests },
    model: '',
  });

  it('adds rows of the range to the groups that were read', () => {
    const query = {
      since: '2026-10-31',
      until: '2026-12-01',
      keyId: undefined,
      by: ['month', 'key'],
    } as const;
    const unwritten = [
      row('app', '2026-10-30', 1),
      row('app', '2026-10-31', 2),
      row('app', '2026-11-30', 4),
      row('app', '2026-12-01', 8),
      row('new', '2026-11-30', 16),
    ];
    expect(addUnwritten(query, [row('app', '2026-11', 100)], unwritten)).toEqual([
      row('app', '2026-11', 104),
      row('app', '2026-10', 2),
      row('new', '2026-11', 16),
    ]);
  });
});
