import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PrefixStripper } from './prefix-stripper.ts';

function restOf(parts: readonly string[], pieces: readonly string[]): string {
  const repeated = new PrefixStripper(parts);
  return pieces.map((piece) => repeated.strip(piece)).join('');
}

const cutAt = (text: string, at: readonly number[]) => {
  const places = [0, ...at.map((n) => n % (text.length + 1)).sort((a, b) => a - b), text.length];
  return places.slice(1).map((end, n) => text.slice(places[n], end));
};

describe('RepeatedText', () => {
  it('takes out exactly what is repeated, however that is cut', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 30 });
    fc.assert(
      fc.property(fc.array(text), text, fc.array(fc.nat(), { maxLength: 5 }), (parts, rest, cuts) => {
        expect(restOf(parts, cutAt(parts.join('') + rest, cuts))).toBe(rest);
      }),
    );
  });

  it.each([
    [['one', 'two'], ['one\n\ntwothree'], 'three'],
    [['one', 'two'], ['one', '\n', '\n', 'two', '\n\nthree'], '\n\nthree'],
    [['one', '\ntwo'], ['one\ntwo'], ''],
    [['one\n', 'two'], ['one\n\ntwo'], ''],
    [['ha', 'ha'], ['haha', 'ha', 'ha'], 'haha'],
    [['🐎 é'], ['🐎', ' ', 'é', '🐎'], '🐎'],
    [[], ['x'], 'x'],
    [['', ''], ['x'], 'x'],
  ])('%j out of %j leaves %j', (parts, pieces, rest) => {
    expect(restOf(parts, pieces)).toBe(rest);
  });

  it('gives back all that was said where that is another text', () => {
    const repeated = new PrefixStripper(['one two']);
    expect(['one ', 'three', ' four'].map((piece) => repeated.strip(piece))).toEqual([
      '',
      'one three',
      ' four',
    ]);
    expect(repeated.hasMismatch).toBe(true);
  });
});
