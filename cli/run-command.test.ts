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

  it('returns 0 for success and for --help', async () => {
    expect(
      await runCommand(
        new Command('x').action(() => undefined),
        [],
      ),
    ).toBe(0);
    expect(await runCommand(failingWith(new Error('x')), ['inner', '--help'])).toBe(0);
    expect(stdout).toHaveBeenCalledWith(expect.stringContaining('Usage: outer inner'));
  });

  it('returns 1 for a failure and prints the reason in one line', async () => {
    expect(await runCommand(failingWith(new Error('the disk is full')), ['inner'])).toBe(1);
    expect(stderr.mock.calls).toEqual([['error: the disk is full\n']]);
  });

  it('returns 2 for a usage error, wherever it is detected', async () => {
    expect(await runCommand(failingWith(new UsageError('not that one')), ['inner'])).toBe(2);
    expect(await runCommand(failingWith(new Error('x')), ['iner'])).toBe(2);
    expect(await runCommand(failingWith(new Error('x')), ['inner', '--what'])).toBe(2);
  });
});
