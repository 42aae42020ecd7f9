import { describe, expect, it } from 'vitest';
import { appendFields, replaceLoneSurrogates } from './json.ts';

describe('replaceLoneSurrogates', () => {
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
    expect(replaceLoneSurrogates(text)).toBe(expected);
    expect(JSON.stringify(JSON.parse(replaceLoneSurrogates(text)))).not.toMatch(/\\ud/);
  });

  it.each([
    String.raw`{"a":"\ud83d\ude00"}`,
    String.raw`{"a":"\uD83D\uDE00 \u00e9"}`,
    String.raw`{"a":"\\ud83d"}`,
    String.raw`{"a":"\\\\ud83d and \ud7ff"}`,
    '{"a":"😀 é"}',
    '{',
  ])('changes nothing in %s', (text) => {
    expect(replaceLoneSurrogates(text)).toBe(text);
  });
});

it.each([
  ['{"a":1}', '"b":"é"', '{"a":1,"b":"é"}'],
  [' { "a" : {} } \n', '"b":2', ' { "a" : {} ,"b":2}'],
  ['{}', '"b":2', '{"b":2}'],
  [' \t{\r\n } ', '"b":2', ' \t{\r\n "b":2}'],
  ['{"a":1} ', '', '{"a":1} '],
])('to %j the members %j are appended', (body, members, expected) => {
  expect(appendFields(Buffer.from(body), members).toString()).toBe(expected);
});
