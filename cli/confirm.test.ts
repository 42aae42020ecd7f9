import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { confirm } from './confirm.ts';
import { UsageError } from './run-command.ts';

const stream = (isTTY: boolean) => Object.assign(new PassThrough(), { isTTY });

function replying(text: string): Promise<void> {
  const input = stream(true);
  input.end(text);
  return confirm('Really?', input, stream(true));
}

describe('confirm', () => {
  it.each(['y\n', 'Yes\n', ' y \n'])('reads %j as yes', async (text) => {
    await expect(replying(text)).resolves.toBeUndefined();
  });

  it.each(['\n', 'n\n', 'yep\n', ''])('reads %j as no', async (text) => {
    await expect(replying(text)).rejects.toThrow('nothing was removed');
  });

  it('prints its question', async () => {
    const [input, output] = [stream(true), stream(true)];
    input.end('y\n');
    await confirm('Really?', input, output);
    expect(String(output.read())).toContain('Really? [y/N] ');
  });

  it('asks for --yes if input or output is not a terminal', async () => {
    for (const [input, output] of [
      [false, true],
      [true, false],
    ] as const) {
      const outcome = confirm('Really?', stream(input), stream(output));
      await expect(outcome).rejects.toThrow(UsageError);
      await expect(outcome).rejects.toThrow('without a terminal, this needs --yes');
    }
  });
});
