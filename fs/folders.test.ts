import { mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../test/harness/temporary-folder.ts';
import { findWriteError, makeFolder } from './folders.ts';

describe('makeFolder', () => {
  it('creates a folder and its missing parents with the given mode', async () => {
    await using folder = await temporaryFolder();
    makeFolder(folder.file('a/b/c'), 0o700);
    makeFolder(folder.file('a/b/c'), 0o700);
    for (const made of ['a', 'a/b', 'a/b/c']) expect(statSync(folder.file(made)).mode & 0o777).toBe(0o700);
  });

  it('throws instead of looping forever when something is in the way', async () => {
    await using folder = await temporaryFolder();
    writeFileSync(folder.file('file'), '');
    symlinkSync(folder.file('loop'), folder.file('loop'));
    symlinkSync(folder.file('gone'), folder.file('dangling'));
    const codeOf = (path: string) => {
      try {
        makeFolder(path);
        return 'made';
      } catch (error) {
        return (error as NodeJS.ErrnoException).code;
      }
    };
    expect(codeOf('/proc/nope/a/b')).toBe('ENOENT');
    expect(codeOf(folder.file('file'))).toBe('ENOTDIR');
    expect(codeOf(folder.file('file/a/b'))).toBe('ENOTDIR');
    expect(codeOf(folder.file('loop/a'))).toBe('ELOOP');
    expect(codeOf(folder.file('dangling/a'))).toBe('EEXIST');
    expect(codeOf(folder.file('x'.repeat(300)))).toBe('ENAMETOOLONG');
  });
});

describe('findWriteError', () => {
  it('tries to write and leaves nothing behind', async () => {
    await using folder = await temporaryFolder();
    mkdirSync(folder.file('a'));
    const before = statSync(folder.file('a')).nlink;
    expect(findWriteError(folder.file('a'))).toBeUndefined();
    expect(statSync(folder.file('a')).nlink).toBe(before);
    expect(findWriteError('/proc')).toMatch(/^E/);
    expect(findWriteError('/sys')).toMatch(/^E/);
  });
});
