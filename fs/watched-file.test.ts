import { mkdir, rename, writeFile } from 'node:fs/promises';
import { describe, expect, it, vi } from 'vitest';
import { temporaryFolder } from '../test/harness/temporary-folder.ts';
import { waitFor } from '../test/harness/wait-for.ts';
import { watchFile } from './watched-file.ts';

/** So long that there is no poll during a test. */
const never = 3_600_000;

describe('watchFile', () => {
  it('checks the file on an event, without waiting for the poll', async () => {
    await using folder = await temporaryFolder();
    const check = vi.fn();
    const watch = watchFile(folder.file('keys'), check, never);
    await writeFile(folder.file('new'), 'x');
    await rename(folder.file('new'), folder.file('keys'));
    await waitFor('a check', () => check.mock.calls.length > 0);
    watch.close();
  });

  it('ignores other files in the folder', async () => {
    await using folder = await temporaryFolder();
    const check = vi.fn();
    const watch = watchFile(folder.file('keys'), check, never);
    const witness = vi.fn();
    const other = watchFile(folder.file('log'), witness, never);
    for (let n = 0; n < 10; n++) await writeFile(folder.file('log'), `${n}`);
    await waitFor('the check of the other watch', () => witness.mock.calls.length > 0);
    expect(check).not.toHaveBeenCalled();
    watch.close();
    other.close();
  });

  it('checks the file when a symlink in its path is swapped', async () => {
    await using folder = await temporaryFolder();
    const check = vi.fn();
    const watch = watchFile(folder.file('keys'), check, never);
    await writeFile(folder.file('..data_tmp'), 'x');
    await rename(folder.file('..data_tmp'), folder.file('..data'));
    await waitFor('a check', () => check.mock.calls.length > 0);
    watch.close();
  });

  it('polls when the folder causes no events', async () => {
    await using folder = await temporaryFolder();
    const check = vi.fn();
    const watch = watchFile(folder.file('not-there/keys'), check, 5);
    await waitFor('checks', () => check.mock.calls.length > 3);
    watch.close();
  });

  it('stops checking when it is closed', async () => {
    await using folder = await temporaryFolder();
    await mkdir(folder.file('keys'));
    const check = vi.fn();
    watchFile(folder.file('keys/file'), check, 1).close();
    const other = vi.fn();
    const still = watchFile(folder.file('keys/file'), other, 1);
    await writeFile(folder.file('keys/file'), 'x');
    await waitFor('the check of another watch', () => other.mock.calls.length > 3);
    expect(check).not.toHaveBeenCalled();
    still.close();
  });
});
