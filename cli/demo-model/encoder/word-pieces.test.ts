import { describe, expect, it } from 'vitest';
import { wordPieces } from './word-pieces.ts';

describe('wordPieces', () => {
  it.each([
    ['\u2581hor', 'start'],
    ['\u2581ox', 'start'],
    ['\u25812', 'start'],
    ['se', 'rest'],
    ['s', 'faint'],
    ['\u2581the', 'faint'],
    ['\u2581theo', 'start'],
    ['\u2581.', 'faint'],
    ['[UNK]', 'faint'],
    ['[SEP]', 'special'],
  ])('%s is of the kind %s', (piece, kind) => {
    expect(wordPieces.get(piece)).toBe(kind);
  });

  it('a faint word stays one that is not the beginning of another', () => {
    expect(wordPieces.get('\u2581them')).toBe('faint');
    expect(wordPieces.has('\u2581theor')).toBe(false);
  });
});
