import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { logfmtStream, toLogfmt } from './logfmt.ts';

describe('toLogfmt', () => {
  it.each([
    [{ a: 1, b: true, c: null }, 'a=1 b=true c=null'],
    [{ msg: 'two words' }, 'msg="two words"'],
    [{ msg: 'a=b' }, 'msg="a=b"'],
    [{ msg: 'say "hi"' }, 'msg="say \\"hi\\""'],
    [{ msg: 'two\nlines\t' }, 'msg="two\\nlines\\t"'],
    [{ msg: '' }, 'msg=""'],
    [{ nested: { a: [1, 2] } }, 'nested="{\\"a\\":[1,2]}"'],
    [{}, ''],
  ])('%j', (fields, line) => {
    expect(toLogfmt(fields)).toBe(line);
    expect(line).not.toContain('\n');
  });
});

describe('logfmtStream', () => {
  it("rewrites pino's lines, one each", async () => {
    const out = new PassThrough({ encoding: 'utf8' });
    pino({ base: { from: 'gateway' }, timestamp: false }, logfmtStream(out)).info({ n: 1 }, 'it works');
    const [line] = await once(out, 'data');
    expect(line).toBe('level=30 from=gateway n=1 msg="it works"\n');
  });
});
