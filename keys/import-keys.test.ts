import { describe, expect, it } from 'vitest';
import { importKeys } from './import-keys.ts';
import { parseLegacyLines } from './legacy-lines.ts';

const lines = (text: string) => parseLegacyLines(text);
const secret = (letter: string) => letter.repeat(16);

describe('importKeys', () => {
  it('says of every line what became of it and touches no key that is there', () => {
    const { keys: there } = importKeys([], lines(`a:${secret('a')}:5\nb:${secret('b')}`));
    const text = `a:${secret('a')}:9\nb:${secret('x')}\nc:${secret('b')}\nbad\nd:${secret('d')}\nd:${secret('e')}`;
    const { keys, fates } = importKeys(there, lines(text));
    expect(keys.map(({ id, limits }) => [id, limits.requestsPerMinute])).toEqual([
      ['a', 5],
      ['b', undefined],
      ['d', undefined],
    ]);
    expect(fates.map(({ line, id, outcome }) => [line, id, outcome])).toEqual([
      [1, 'a', 'unchanged'],
      [2, 'b', 'skipped'],
      [3, 'c', 'skipped'],
      [4, undefined, 'skipped'],
      [5, 'd', 'imported'],
      [6, 'd', 'skipped'],
    ]);
    expect(fates[1]?.reason).toContain('another secret');
    expect(fates[2]?.reason).toContain('"b" has the same secret');
  });
});
