import { describe, expect, it } from 'vitest';
import { anchorsOf, blocksTagged, fencedBlocks, linksOf, missingLine, proseOf } from './markdown.ts';

const text = '# One\n\n```sh tried\nls\n```\n\n```text output\na\n```\nthe [end](b.md#c)\n';

describe('fencedBlocks', () => {
  it('reads language, tags, text and line', () => {
    expect(fencedBlocks(text)).toEqual([
      { language: 'sh', tags: ['tried'], text: 'ls\n', line: 3 },
      { language: 'text', tags: ['output'], text: 'a\n', line: 7 },
    ]);
  });
  it('leaves the text outside the blocks', () => {
    expect(proseOf(text).split('\n')).toEqual(['# One', ...Array(8).fill(''), 'the [end](b.md#c)', '']);
  });
});

describe('blocksTagged', () => {
  it('pairs a block with its output', () => {
    expect(blocksTagged('tried', { path: 'a.md', text })).toEqual([
      { place: 'a.md:3', language: 'sh', text: 'ls\n', output: 'a\n' },
    ]);
  });
  it('requires an output', () => {
    const page = { path: 'a.md', text: '```sh tried\nls\n```\n' };
    expect(() => blocksTagged('tried', page)).toThrow('a.md:1: a tried block must be followed by');
  });
});

describe('missingLine', () => {
  it.each([
    ['a\nc', undefined],
    ['c\na', 'a'],
    ['a\nb … d', undefined],
    ['a.', 'a.'],
    ['…\nb…', undefined],
    ['b', 'b'],
  ])('%j', (expected, missing) => {
    expect(missingLine(expected, 'a\n  b (c) d\nc\n')).toBe(missing);
  });
});

describe('links', () => {
  it('finds links and pictures, except in code', () => {
    expect(linksOf('[a](b.md) ![c](d.svg "e") `[f](g)` <img src="h.png">\n```\n[i](j)\n```\n')).toEqual([
      'b.md',
      'd.svg',
      'h.png',
    ]);
  });
  it('creates anchors as GitHub does', () => {
    expect(anchorsOf('# The `corral` command: a *map*\n## Keys\n## Keys\n## A, b & c\n')).toEqual([
      'the-corral-command-a-map',
      'keys',
      'keys-1',
      'a-b--c',
    ]);
  });
});
