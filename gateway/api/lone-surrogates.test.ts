import { describe, expect, it } from 'vitest';
import { withoutLoneSurrogates } from './json-text.ts';

const mended = (text: string) => withoutLoneSurrogates(Buffer.from(text)).toString();

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
  ])('replaces the half of %s', (text, whole) => {
    expect(mended(text)).toBe(whole);
    expect(JSON.stringify(JSON.parse(mended(text)))).not.toMatch(/\\ud/);
  });

  it.each([
    String.raw`{"a":"\ud83d\ude00"}`,
    String.raw`{"a":"\uD83D\uDE00 \u00e9"}`,
    String.raw`{"a":"\\ud83d"}`,
    String.raw`{"a":"\\\\ud83d and \ud7ff"}`,
    '{"a":"😀 é"}',
    '{',
  ])('returns the very bytes of %s', (text) => {
    const body = Buffer.from(text);
    expect(withoutLoneSurrogates(body)).toBe(body);
  });
});
