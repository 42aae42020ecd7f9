import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PrefixStripper } from './prefill-stripper.ts';

function stripAll(parts: readonly string[], pieces: readonly string[]): string {
  const stripper = new PrefixStripper(parts);
  return pieces.map((piece) => stripper.strip(piece)).join('');
}

const cutAt = (text: string, at: readonly number[]) => {
  const places = [0, ...at.map((n) => n % (text.length + 1)).sort((a, b) => a - b), text.length];
  return places.slice(1).map((end, n) => text.slice(places[n], end));
};

describe('PrefixStripper', () => {
  it('removes exactly the prefix, wherever the text is cut', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 30 });
    fc.assert(
      fc.property(fc.array(text), text, fc.array(fc.nat(), { maxLength: 5 }), (parts, rest, cuts) => {
        expect(stripAll(parts, cutAt(parts.join('') + rest, cuts))).toBe(rest);
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
  ])('%j removed from %j leaves %j', (parts, pieces, rest) => {
    expect(stripAll(parts, pieces)).toBe(rest);
  });

  it('returns everything if it is another text', () => {
    const stripper = new PrefixStripper(['one two']);
    expect(['one ', 'three', ' four'].map((piece) => stripper.strip(piece))).toEqual([
      '',
      'one three',
      ' four',
    ]);
    expect(stripper.hasMismatch).toBe(true);
  });
});
