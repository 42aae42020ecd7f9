import { describe, expect, it } from 'vitest';
import { align } from './output.ts';

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
