import { describe, expect, it } from 'vitest';
import { isNestedDeeper } from './nesting.ts';

const deeper = (text: string, levels: number) => isNestedDeeper(Buffer.from(text), levels);

describe('isNestedDeeper', () => {
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
