import { describe, expect, it } from 'vitest';
import { findExceededLimit, withoutLoneSurrogates } from './json.ts';

const none = Number.POSITIVE_INFINITY;
const deeper = (text: string, levels: number) =>
  findExceededLimit(Buffer.from(text), { levels, values: none }) === 'levels';
const hasMoreValues = (text: string, values: number) =>
  findExceededLimit(Buffer.from(text), { levels: none, values }) === 'values';

describe('the limit of levels', () => {
  it('counts lists and objects alike, and neighbours only once', () => {
    expect(deeper('{"a":[{"b":1},{"c":[]}],"d":[]}', 4)).toBe(false);
    expect(deeper('{"a":[{"b":1},{"c":[]}],"d":[]}', 3)).toBe(true);
  });

  it('ignores brackets inside a string, whatever is escaped there', () => {
    expect(deeper('{"[[[{{{":"[[[\\"[[[\\\\\\"[[["}', 1)).toBe(false);
    expect(deeper('["\\\\",[[]]]', 2)).toBe(true);
  });

  it('handles text that is not JSON', () => {
    expect(deeper('["never ended [[[', 1)).toBe(false);
    expect(deeper(']]]]', 0)).toBe(false);
    expect(deeper('', 0)).toBe(false);
  });

  // Looked at again from the start for each quote, they would take the better part of an hour.
  it('checks 10 MB of quotes quickly', () => {
    expect(deeper(`"${'\\"'.repeat(5_000_000)}"`, 1)).toBe(false);
  });
});

describe('the limit of values', () => {
  it.each([
    ['[1,2,3]', 3],
    ['{"a":1,"b":[{}]}', 24],
    ['{}', 1],
  ])('counts commas and opening brackets once and members ten times: %s', (text, marks) => {
    expect([hasMoreValues(text, marks), hasMoreValues(text, marks - 1)]).toEqual([false, true]);
  });

  it.each(['"a,b:c,d"', '"\\",,,\\\\"', '["a,[","b:"]'])('counts nothing inside strings: %s', (text) => {
    expect(hasMoreValues(text, 2)).toBe(false);
  });

  it('handles text that is not JSON', () => {
    expect(hasMoreValues('", , , ,', 1)).toBe(false);
    expect(hasMoreValues(',,,', 1)).toBe(true);
  });
});

const replaced = (text: string) => withoutLoneSurrogates(Buffer.from(text)).toString();

describe('withoutLoneSurrogates', () => {
  it.each([
    [String.raw`{"a":"cut \ud83d"}`, String.raw`{"a":"cut \ufffd"}`],
    [String.raw`{"a":"\uDE00 first"}`, String.raw`{"a":"\ufffd first"}`],
    [
      String.raw`{"\ud83d":1,"b":["\ud83d\ud83d\ude00"]}`,
      String.raw`{"\ufffd":1,"b":["\ufffd\ud83d\ude00"]}`,
    ],
    [String.raw`{"a":"\\\ud83d"}`, String.raw`{"a":"\\\ufffd"}`],
    [String.raw`{"a":"\ud83d\u0041"}`, String.raw`{"a":"\ufffd\u0041"}`],
    [String.raw`{"a":"\ud83d\n\udbff"}`, String.raw`{"a":"\ufffd\n\ufffd"}`],
  ])('replaces half a character in %s', (text, expected) => {
    expect(replaced(text)).toBe(expected);
    expect(JSON.stringify(JSON.parse(replaced(text)))).not.toMatch(/\\ud/);
  });

  it.each([
    String.raw`{"a":"\ud83d\ude00"}`,
    String.raw`{"a":"\uD83D\uDE00 \u00e9"}`,
    String.raw`{"a":"\\ud83d"}`,
    String.raw`{"a":"\\\\ud83d and \ud7ff"}`,
    '{"a":"😀 é"}',
    '{',
  ])('returns the same buffer for %s', (text) => {
    const body = Buffer.from(text);
    expect(withoutLoneSurrogates(body)).toBe(body);
  });
});
