import { describe, expect, it } from 'vitest';
import { parseSince } from './parse-since.ts';

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
  ])('%s', (text, day) => expect(parseSince(text, now)).toBe(day));

  it.each(['', '7', 'week', '2026-13-01', '-7d'])('rejects %j', (text) =>
    expect(parseSince(text, now)).toBeUndefined(),
  );
});
