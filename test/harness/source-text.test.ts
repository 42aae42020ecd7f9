import { expect, it } from 'vitest';
import { sourceText } from './source-text.ts';

it('a text of the sources is returned', () => {
  expect(sourceText('was terminated by')).toBe('was terminated by');
});

it('a text that no source contains is an error', () => {
  expect(() => sourceText('a text of this test alone')).toThrow(
    'no source contains "a text of this test alone"',
  );
});
