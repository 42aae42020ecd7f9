import { execFileSync } from 'node:child_process';
import { lstat, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../test/harness/temporary-folder.ts';
import { writeWhole } from './write-whole.ts';

describe('writeWhole', () => {
  it('replaces a file, or creates it', async () => {
    await using folder = await temporaryFolder();
    for (const text of ['first', 'second']) {
      await writeWhole(folder.file('a'), (target) => writeFile(target, text));
      expect(await readFile(folder.file('a'), 'utf8')).toBe(text);
    }
    expect(await readdir(folder.path)).toEqual(['a']);
  });

  it('leaves the old file and nothing else if it fails', async () => {
    await using folder = await temporaryFolder();
    await writeFile(folder.file('a'), 'old');
    const fail = async (target: string) => {
      await writeFile(target, 'half');
      throw new Error('cut');
    };
    await expect(writeWhole(folder.file('a'), fail)).rejects.toThrow('cut');
    expect(await readFile(folder.file('a'), 'utf8')).toBe('old');
    expect(await readdir(folder.path)).toEqual(['a']);
  });

  it('writes to what a symbolic link points at', async () => {
    await using folder = await temporaryFolder();
    await writeFile(folder.file('a'), 'old');
    await symlink('a', folder.file('link'));
    await writeWhole(folder.file('link'), (target) => writeFile(target, 'new'));
    expect(await readFile(folder.file('a'), 'utf8')).toBe('new');
    expect((await lstat(folder.file('link'))).isSymbolicLink()).toBe(true);
  });

  it('writes into a pipe, and does not replace it', async () => {
    await using folder = await temporaryFolder();
    const pipe = folder.file('pipe');
    execFileSync('mkfifo', [pipe]);
    const read = readFile(pipe, 'utf8');
    await writeWhole(pipe, (target) => writeFile(target, 'text'));
    expect(await read).toBe('text');
    expect((await lstat(pipe)).isFIFO()).toBe(true);
  });
});
