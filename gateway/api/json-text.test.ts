import { describe, expect, it } from 'vitest';
import { findExceededLimit } from './json-text.ts';

const none = Number.POSITIVE_INFINITY;
const deeper = (text: string, levels: number) =>
  findExceededLimit(Buffer.from(text), { levels, values: none }) === 'levels';
const crowded = (text: string, values: number) =>
  findExceededLimit(Buffer.from(text), { levels: none, values }) === 'values';

describe('its levels', () => {
  it('counts lists and objects alike, and what stands side by side once', () => {
    expect(deeper('{"a":[{"b":1},{"c":[]}],"d":[]}', 4)).toBe(false);
    expect(deeper('{"a":[{"b":1},{"c":[]}],"d":[]}', 3)).toBe(true);
  });

  it('counts no bracket inside a string, whatever is escaped there', () => {
    expect(deeper('{"[[[{{{":"[[[\\"[[[\\\\\\"[[["}', 1)).toBe(false);
    expect(deeper('["\\\\",[[]]]', 2)).toBe(true);
  });

  it('comes to an end on what is no JSON', () => {
    expect(deeper('["never ended [[[', 1)).toBe(false);
    expect(deeper(']]]]', 0)).toBe(false);
    expect(deeper('', 0)).toBe(false);
  });

  // Looked at again from the start for each quote, they would take the better part of an hour.
  it('takes 10 MB of quotes in its stride', () => {
    expect(deeper(`"${'\\"'.repeat(5_000_000)}"`, 1)).toBe(false);
  });
});

describe('its values', () => {
  it.each([
    ['[1,2,3]', 3],
    ['{"a":1,"b":[{}]}', 24],
    ['{}', 1],
  ])('counts what parts and opens, and members tenfold: %s', (text, marks) => {
    expect([crowded(text, marks), crowded(text, marks - 1)]).toEqual([false, true]);
  });

  it.each(['"a,b:c,d"', '"\\",,,\\\\"', '["a,[","b:"]'])('counts none in texts: %s', (text) => {
    expect(crowded(text, 2)).toBe(false);
  });

  it('does not mind what is no JSON', () => {
    expect(crowded('", , , ,', 1)).toBe(false);
    expect(crowded(',,,', 1)).toBe(true);
  });
});
