import { describe, expect, it } from 'vitest';
import { align } from './output.ts';

describe('align', () => {
  it('gives every column the width of its widest cell', () => {
    expect(
      align([
        ['ID', 'STATUS', 'X'],
        ['a-long-one', 'on', ''],
      ]),
    ).toBe('ID          STATUS  X\na-long-one  on');
  });

  it('counts colours for nothing', () => {
    const red = '\u001b[31mred\u001b[39m';
    expect(
      align([
        [red, 'a'],
        ['blue', 'b'],
      ]),
    ).toBe(`${red}   a\nblue  b`);
  });
});
