import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findExceededLimit } from './json-limits.ts';

const none = Number.POSITIVE_INFINITY;
const deeper = (text: string, levels: number) =>
  findExceededLimit(text, { levels, values: none }) === 'levels';
const hasMoreValues = (text: string, values: number) =>
  findExceededLimit(text, { levels: none, values }) === 'values';

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

/** Bracket by bracket, without a cheap test before it and without native searches. */
function countNaively(json: string): { levels: number; values: number } {
  let [depth, levels, values, isInString] = [0, 0, 0, false];
  for (let at = 0; at < json.length; at++) {
    const mark = json[at] ?? '';
    if (isInString && mark === '\\') at += 1;
    else if (mark === '"') isInString = !isInString;
    if (isInString) continue;
    if (mark === '[' || mark === '{') depth += 1;
    if (mark === ']' || mark === '}') depth -= 1;
    levels = Math.max(levels, depth);
    values += mark === ':' ? 10 : ',[{'.includes(mark) ? 1 : 0;
  }
  return { levels, values };
}

it('finds what a count of every character finds, in JSON and in any other text', () => {
  const pieces = [
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    '\\"',
    '\\\\',
    ' ',
    '\n',
    '1',
    'é',
    '漢',
    '"a":',
    '"[{,"',
  ];
  const text = fc.oneof(
    fc.array(fc.constantFrom(...pieces)).map((all) => all.join('')),
    fc.json(),
    fc.json().map((json) => JSON.stringify(JSON.parse(json), undefined, 1)),
  );
  const limits = fc.record({ levels: fc.nat(8), values: fc.nat(120) });
  fc.assert(
    fc.property(text, limits, (json, { levels, values }) => {
      const counted = countNaively(json);
      expect(findExceededLimit(json, counted)).toBeUndefined();
      const found = findExceededLimit(json, { levels, values });
      if (counted.levels <= levels) expect(found).toBe(counted.values > values ? 'values' : undefined);
      else if (counted.values <= values) expect(found).toBe('levels');
      else expect(found).toBeDefined();
    }),
  );
});
