import { describe, expect, it } from 'vitest';
import { kindLanes, patternStart, tokenRows } from './token-rows.ts';
import { wordPieces } from './word-pieces.ts';

/** The layout of the rerank model, which needs equal norms. */
const layout = { width: 128, lanes: 17 };

describe('tokenRows', () => {
  const rows = tokenRows(layout);
  const kinds = [...wordPieces.values()];
  const rowOf = (token: number) => rows.subarray(token * layout.width, (token + 1) * layout.width);

  it('has mean 0 and the same norm for every token, so that layer normalization changes nothing', () => {
    const sums = kinds.map((_, token) => rowOf(token).reduce((sum, value) => sum + value, 0));
    const squares = kinds.map((_, token) => rowOf(token).reduce((sum, value) => sum + value * value, 0));
    expect(rows).toHaveLength(kinds.length * layout.width);
    expect(new Set(sums)).toEqual(new Set([0]));
    expect(new Set(squares)).toEqual(new Set([98]));
  });

  it('has the kind of a token in the lane of that kind only', () => {
    for (const [token, kind] of kinds.entries()) {
      const marked = Object.values(kindLanes).filter((lane) => rowOf(token)[2 * lane] !== 0);
      if (marked.length !== 1 || marked[0] !== kindLanes[kind])
        expect(marked, `token ${token}`).toEqual([kind]);
    }
  });

  it('has a pattern of its own for every token but the special ones', () => {
    const patterns = kinds.map((_, token) => rowOf(token).subarray(patternStart(layout)).join());
    const special = kinds.filter((kind) => kind === 'special').length;
    expect(new Set(patterns).size).toBe(kinds.length - special + 1);
  });
});
