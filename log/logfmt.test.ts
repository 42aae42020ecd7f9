import { describe, expect, it } from 'vitest';
import { toLogfmt } from './logfmt.ts';

describe('toLogfmt', () => {
  it.each([
    [{ a: 1, b: true, c: null }, 'a=1 b=true c=null'],
    [{ msg: 'two words' }, 'msg="two words"'],
    [{ msg: 'a=b' }, 'msg="a=b"'],
    [{ msg: 'say "hi"' }, 'msg="say \\"hi\\""'],
    [{ msg: 'two\nlines\t' }, 'msg="two\\nlines\\t"'],
    [{ msg: 'back\\slash' }, 'msg="back\\\\slash"'],
    [{ msg: '' }, 'msg=""'],
    [{ key: 'ключ' }, 'key="ключ"'],
    [{ msg: '\u001b[31m\u009b' }, 'msg="\\u001b[31m\\u009b"'],
    [{ nested: { a: [1, 2] } }, 'nested="{\\"a\\":[1,2]}"'],
    [{}, ''],
  ])('%j', (fields, line) => {
    expect(toLogfmt(fields)).toBe(line);
    expect(line).not.toContain('\n');
  });
});
