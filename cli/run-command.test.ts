import { Command } from 'commander';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { runCommand, UsageError } from './run-command.ts';

function failingWith(error: Error): Command {
  return new Command('outer').addCommand(
    new Command('inner').action(() => {
      throw error;
    }),
  );
}

describe('runCommand', () => {
  const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const stdout = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  afterEach(() => {
    vi.clearAllMocks();
  });
  afterAll(() => {
    vi.restoreAllMocks();
  });

  it('answers 0 for what is done, and for help that was asked for', async () => {
    expect(
      await runCommand(
        new Command('x').action(() => undefined),
        [],
      ),
    ).toBe(0);
    expect(await runCommand(failingWith(new Error('x')), ['inner', '--help'])).toBe(0);
    expect(stdout).toHaveBeenCalledWith(expect.stringContaining('Usage: outer inner'));
  });

  it('answers 1 for what failed and says why in one line', async () => {
    expect(await runCommand(failingWith(new Error('the disk is full')), ['inner'])).toBe(1);
    expect(stderr.mock.calls).toEqual([['error: the disk is full\n']]);
  });

  it('answers 2 for wrong use, whoever finds it', async () => {
    expect(await runCommand(failingWith(new UsageError('not that one')), ['inner'])).toBe(2);
    expect(await runCommand(failingWith(new Error('x')), ['iner'])).toBe(2);
    expect(await runCommand(failingWith(new Error('x')), ['inner', '--what'])).toBe(2);
  });
});
