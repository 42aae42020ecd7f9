import { writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../test/harness/temporary-folder.ts';
import { withFileLock } from './file-lock.ts';

describe('withFileLock', () => {
  it('admits one holder at a time', async () => {
    await using folder = await temporaryFolder();
    let inside = 0;
    let most = 0;
    const enter = () =>
      withFileLock(folder.file('lock'), async () => {
        most = Math.max(most, ++inside);
        await new Promise((resolve) => setImmediate(resolve));
        inside -= 1;
      });
    await Promise.all(Array.from({ length: 20 }, enter));
    expect([inside, most]).toEqual([0, 1]);
  });

  it('releases the lock and passes the error on when the action throws', async () => {
    await using folder = await temporaryFolder();
    const file = folder.file('lock');
    await expect(withFileLock(file, () => Promise.reject(new Error('mine')))).rejects.toThrow('mine');
    expect(await withFileLock(file, async () => 'next')).toBe('next');
  });

  it('gives up after timeoutMs and names the lock', async () => {
    await using folder = await temporaryFolder();
    const file = folder.file('lock');
    await withFileLock(file, async () => {
      await expect(withFileLock(file, async () => 'never', { timeoutMs: 50 })).rejects.toThrow(
        `has held the lock ${file}`,
      );
    });
  });

  it('says once that it waits, and nothing where it need not', async () => {
    await using folder = await temporaryFolder();
    const file = folder.file('lock');
    const waits: string[] = [];
    const lock = (name: string, action = async () => name) =>
      withFileLock(file, action, { onWait: () => waits.push(name) });
    const { promise: held, resolve: release } = Promise.withResolvers<string>();
    const first = lock('first', () => held);
    const second = lock('second');
    await expect.poll(() => waits).toEqual(['second']);
    await expect(withFileLock(file, async () => 'never', { timeoutMs: 50 })).rejects.toThrow(
      'has held the lock',
    );
    release('first');
    expect(await Promise.all([first, second])).toEqual(['first', 'second']);
    expect(waits).toEqual(['second']);
  });

  it('reports a missing folder', async () => {
    await using folder = await temporaryFolder();
    await expect(withFileLock(folder.file('no/lock'), async () => 'never')).rejects.toThrow(
      'cannot open the lock',
    );
  });

  it('reports a file that is not a lock, instead of blaming the volume', async () => {
    await using folder = await temporaryFolder();
    await writeFile(folder.file('lock'), 'some words that are no database, '.repeat(50));
    await expect(withFileLock(folder.file('lock'), async () => 'never')).rejects.toThrow(
      'it is not a lock file of llama-corral; remove it',
    );
  });
});
