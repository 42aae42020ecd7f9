import { describe, expect, it, vi } from 'vitest';
import { align, formatCsv, writeTable } from './output.ts';

describe('align', () => {
  it('makes every column as wide as its widest cell', () => {
    expect(
      align([
        ['ID', 'STATUS', 'X'],
        ['a-long-one', 'on', ''],
      ]),
    ).toBe('ID          STATUS  X\na-long-one  on');
  });

  it('ignores colours when it measures width', () => {
    const red = '\u001b[31mred\u001b[39m';
    expect(
      align([
        [red, 'a'],
        ['blue', 'b'],
      ]),
    ).toBe(`${red}   a\nblue  b`);
  });
});

describe('writeTable', () => {
  const red = `\u001b[31m${'r'.repeat(30)}\u001b[39m`;
  const rows = [
    ['ID', 'STATUS', 'CREATED'],
    ['a'.repeat(40), red, '2026-11-30'],
    ['b', 'active', '2026-11-30'],
  ];
  const written = (columns: number | undefined) => {
    const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    writeTable(rows, columns);
    const text = String(write.mock.calls[0]?.[0]);
    write.mockRestore();
    return text;
  };

  it('cuts the widest cells until the lines fit', () => {
    const lines = written(50).trimEnd().split('\n');
    expect(lines.map((line) => line.length)).toEqual([47, 50, 50]);
    expect(lines[1]).toBe(`${'a'.repeat(17)}…  ${'r'.repeat(17)}…  2026-11-30`);
  });

  it('cuts nothing without a terminal, or where the lines fit', () => {
    expect(written(undefined)).toBe(`${align(rows)}\n`);
    expect(written(200)).toBe(`${align(rows)}\n`);
  });

  it('ends where every column is narrow', () => expect(written(3)).toContain('aaaaaaaa…'));
});

describe('formatCsv', () => {
  it('writes RFC 4180', () => {
    expect(
      formatCsv([
        ['key', 'note'],
        ['a', 'with, comma'],
        ['b', 'a "quote"'],
        ['c', 'two\nlines'],
        ['d', 1.5],
      ]),
    ).toBe(
      ['key,note', 'a,"with, comma"', 'b,"a ""quote"""', 'c,"two\nlines"', 'd,1.5']
        .map((line) => `${line}\r`)
        .join('\n'),
    );
  });

  it.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1'])('gives a spreadsheet no formula: %j', (cell) =>
    expect(formatCsv([[cell]])).toMatch(/^"?'/),
  );

  it('leaves negative numbers as they are', () => expect(formatCsv([[-1]])).toBe('-1\r'));
});
