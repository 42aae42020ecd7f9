import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type FileLine, readLines } from './read-lines.ts';

async function linesOf(chunks: readonly Uint8Array[], maxLength = 100): Promise<FileLine[]> {
  return Array.fromAsync(readLines(asStream(chunks), maxLength));
}

async function* asStream(chunks: readonly Uint8Array[]) {
  for (const chunk of chunks) yield Uint8Array.from(chunk);
}

const textsOf = (lines: readonly FileLine[]) => lines.map(({ bytes }) => bytes?.toString());

it.each([
  ['', []],
  ['\n\n', []],
  ['a', ['a']],
  ['a\n', ['a']],
  ['a\nb', ['a', 'b']],
  ['a\r\nb\r\n', ['a\r', 'b\r']],
  ['\ufeffa\nb', ['a', 'b']],
  [' \t\r\na\n\n', ['a']],
])('reads %j', async (text, expected) => {
  expect(textsOf(await linesOf([Buffer.from(text)]))).toEqual(expected);
});

it('numbers lines as an editor does, blank ones included', async () => {
  const lines = await linesOf([Buffer.from('\na\n\nb')]);
  expect(lines.map(({ number, offset, length }) => [number, offset, length])).toEqual([
    [2, 1, 1],
    [4, 4, 1],
  ]);
});

it.each(['\n', ' \n', '\t \r\n'])('a file may have millions of blank lines: %j', async (blank) => {
  const chunk = Buffer.from(blank.repeat(10_000));
  const chunks = Array.from({ length: 300 }, () => chunk);
  const lines = await linesOf([...chunks, Buffer.from('a'), ...chunks, Buffer.from('b')]);
  expect(lines).toMatchObject([
    { number: 3_000_001, offset: 300 * chunk.length },
    { number: 6_000_001, offset: 600 * chunk.length + 1 },
  ]);
});

it('keeps nothing of a line that is too long, and goes on behind it', async () => {
  const lines = await linesOf([Buffer.from('aaaa'), Buffer.from('aaaa\nbb\n')], 7);
  expect(lines).toMatchObject([
    { number: 1, length: 8, bytes: undefined },
    { number: 2, offset: 9 },
  ]);
});

it('finds each line at its place, however the file is cut into chunks', async () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 30 }).map((it) => it.replace(/\s/g, '-'));
  const line = fc.oneof(text, fc.constantFrom('', ' ', '\t\r', '\r', ' \t  '));
  const property = fc.asyncProperty(
    fc.array(line, { maxLength: 20 }),
    fc.array(fc.nat(200)),
    async (texts, cuts) => {
      const file = Buffer.from(texts.join('\n'));
      const places = [0, ...cuts.map((cut) => cut % (file.length + 1)).sort((a, b) => a - b), file.length];
      const chunks = places.slice(1).map((end, at) => file.subarray(places[at], end));
      const lines = await linesOf(chunks, 1000);
      for (const { offset, length, bytes } of lines)
        expect(file.subarray(offset, offset + length)).toEqual(bytes);
      const expected = texts.map((it, index) => [index + 1, it]).filter(([, it]) => `${it}`.trim() !== '');
      expect(lines.map(({ number, bytes }) => [number, bytes?.toString()])).toEqual(expected);
    },
  );
  await fc.assert(property, { numRuns: 300 });
});
