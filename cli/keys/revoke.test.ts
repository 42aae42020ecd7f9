import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { confirmed } from './revoke.ts';

const stream = (isTTY: boolean) => Object.assign(new PassThrough(), { isTTY });

function replying(text: string): Promise<boolean> {
  const input = stream(true);
  input.end(text);
  return confirmed('Really? ', input, stream(true));
}

describe('confirmed', () => {
  it.each(['y\n', 'Yes\n', ' y \n'])('reads %j as yes', async (text) => {
    expect(await replying(text)).toBe(true);
  });

  it.each(['\n', 'n\n', 'yep\n', ''])('reads %j as no', async (text) => {
    expect(await replying(text)).toBe(false);
  });

  it('prints its question', async () => {
    const [input, output] = [stream(true), stream(true)];
    input.end('y\n');
    await confirmed('Really? ', input, output);
    expect(String(output.read())).toContain('Really? ');
  });

  it('skips the question if input or output is not a terminal', async () => {
    expect(await confirmed('Really? ', stream(false), stream(true))).toBe(true);
    expect(await confirmed('Really? ', stream(true), stream(false))).toBe(true);
  });
});
