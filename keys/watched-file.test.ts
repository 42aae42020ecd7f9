import { mkdir, rename, writeFile } from 'node:fs/promises';
import { describe, expect, it, vi } from 'vitest';
import { temporaryFolder } from '../test/harness/temporary-folder.ts';
import { waitFor } from '../test/harness/wait-for.ts';
import { watchFile } from './watched-file.ts';

/** So long that no poll comes during a test. */
const never = 3_600_000;

describe('watchFile', () => {
  it('checks the file on an event, without waiting for the poll', async () => {
    await using folder = await temporaryFolder();
    const look = vi.fn();
    const watch = watchFile(folder.file('keys'), look, never);
    await writeFile(folder.file('new'), 'x');
    await rename(folder.file('new'), folder.file('keys'));
    await waitFor('a look', () => look.mock.calls.length > 0);
    watch.close();
  });

  it('ignores other files in the folder', async () => {
    await using folder = await temporaryFolder();
    const look = vi.fn();
    const watch = watchFile(folder.file('keys'), look, never);
    const witness = vi.fn();
    const other = watchFile(folder.file('log'), witness, never);
    for (let n = 0; n < 10; n++) await writeFile(folder.file('log'), `${n}`);
    await waitFor('the other to look', () => witness.mock.calls.length > 0);
    expect(look).not.toHaveBeenCalled();
    watch.close();
    other.close();
  });

  it('checks the file when a symlink in its path is swapped', async () => {
    await using folder = await temporaryFolder();
    const look = vi.fn();
    const watch = watchFile(folder.file('keys'), look, never);
    await writeFile(folder.file('..data_tmp'), 'x');
    await rename(folder.file('..data_tmp'), folder.file('..data'));
    await waitFor('a look', () => look.mock.calls.length > 0);
    watch.close();
  });

  it('polls when the folder causes no events', async () => {
    await using folder = await temporaryFolder();
    const look = vi.fn();
    const watch = watchFile(folder.file('not-there/keys'), look, 5);
    await waitFor('looks', () => look.mock.calls.length > 3);
    watch.close();
  });

  it('stops checking when it is closed', async () => {
    await using folder = await temporaryFolder();
    await mkdir(folder.file('keys'));
    const look = vi.fn();
    watchFile(folder.file('keys/file'), look, 1).close();
    const other = vi.fn();
    const still = watchFile(folder.file('keys/file'), other, 1);
    await writeFile(folder.file('keys/file'), 'x');
    await waitFor('another watch to look', () => other.mock.calls.length > 3);
    expect(look).not.toHaveBeenCalled();
    still.close();
  });
});
