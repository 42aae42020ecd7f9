import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { projectFolder } from '../scripts/project-folders.ts';
import { readSettings } from '../settings/read-settings.ts';
import { openTestStore } from '../test/harness/open-test-store.ts';
import { createRunningBatch, storeFile } from '../test/harness/stored-batch.ts';
import { noResponses } from '../test/harness/stored-responses.ts';
import { temporaryFolder } from '../test/harness/temporary-folder.ts';
import { storeConfig } from './config.ts';
import { StoreError, StoreUnavailable } from './errors.ts';
import { openStore, storeFileName } from './store.ts';

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);

describe('a store', () => {
  it('is readable by its owner only, whatever the umask and the modes from before are', async () => {
    const before = process.umask(0);
    try {
      await using folder = await temporaryFolder();
      const dataDir = folder.file('data');
      mkdirSync(join(dataDir, 'files'), { recursive: true, mode: 0o777 });
      writeFileSync(join(dataDir, storeFileName), '', { mode: 0o666 });
      await using test = await openTestStore({ folder: dataDir });
      test.open('gateway');
      const { id } = await createRunningBatch(test.store, 1);
      await test.store.batches.finishLines(id, [{ number: 1, state: 'completed', text: 'x' }]);
      expect(modeOf(join(dataDir, 'files'))).toBe('700');
      const names = ['', '-wal', '-shm'].map((end) => storeFileName + end);
      for (const name of names) expect([name, modeOf(join(dataDir, name))]).toEqual([name, '600']);
      const contents = readdirSync(join(dataDir, 'files'));
      expect(contents).toHaveLength(2);
      for (const name of contents) expect(modeOf(join(dataDir, 'files', name))).toBe('600');
    } finally {
      process.umask(before);
    }
  });

  it('belongs to the owner of its folder, if root uses it first', async () => {
    await using folder = await temporaryFolder();
    if (process.getuid?.() === 0) chownSync(folder.path, 65_534, 65_534);
    const { uid } = statSync(folder.path);
    await using test = await openTestStore({ folder: folder.path });
    const { id } = await createRunningBatch(test.store, 1);
    await test.store.batches.finishLines(id, [{ number: 1, state: 'completed', text: 'x' }]);
    const contents = readdirSync(folder.file('files')).map((name) => `files/${name}`);
    expect(contents).toHaveLength(2);
    for (const name of ['store.sqlite', 'store.sqlite-wal', 'store.sqlite-shm', 'files', ...contents])
      expect([name, statSync(folder.file(name)).uid]).toEqual([name, uid]);
  });

  it('is the same for all processes that open it, and each notices the commits of the others', async () => {
    await using test = await openTestStore({ role: 'gateway' });
    const runner = test.open('runner');
    const version = runner.dataVersion;
    expect(runner.dataVersion).toBe(version);
    const { id } = await storeFile(test.store, 'x');
    expect(runner.dataVersion).not.toBe(version);
    expect(runner.files.get('app', id)).toBeDefined();
    expect(test.open('command').usage()).toEqual({ files: 1, ...noResponses, bytes: 1 });
  });

  it('opens only with its key', async () => {
    const key = randomBytes(32);
    await using test = await openTestStore({ key });
    const open = (key: Buffer | undefined) => openStore({ ...test.config, key }, { role: 'gateway' });
    // As long as it is empty, any key will do.
    open(undefined)[Symbol.dispose]();
    open(key)[Symbol.dispose]();
    await storeFile(test.store, 'x');
    open(key)[Symbol.dispose]();
    expect(() => open(undefined)).toThrow('is encrypted: set STORE_KEY to its key');
    expect(() => open(randomBytes(32))).toThrow('is encrypted with another key');
  });

  it('that is not encrypted opens without a key only', async () => {
    await using test = await openTestStore();
    await storeFile(test.store, 'x');
    const open = () => openStore({ ...test.config, key: randomBytes(32) }, { role: 'gateway' });
    expect(open).toThrow('is not encrypted: unset STORE_KEY');
    expect(open).toThrow(StoreError);
  });

  it('of a newer version, or that is no database, is left alone', async () => {
    await using folder = await temporaryFolder();
    const config = storeConfig(readSettings({ DATA_DIR: folder.path }).settings);
    const open = () => openStore(config, { role: 'runner' });
    open()[Symbol.dispose]();
    using db = new DatabaseSync(folder.file(storeFileName));
    db.exec('PRAGMA user_version = 99');
    expect(open).toThrow('was written by a newer version of llama-corral (schema 99, this version knows 7)');
    db.close();
    writeFileSync(folder.file(storeFileName), 'no database at all '.repeat(100));
    expect(open).toThrow('the database of the store is damaged');
    expect(open).toThrow(StoreUnavailable);
  });

  it('is not created by a command', async () => {
    await using folder = await temporaryFolder();
    const config = storeConfig(readSettings({ DATA_DIR: folder.path }).settings);
    expect(() => openStore(config, { role: 'command' })).toThrow(`there is no store in ${folder.path}`);
    expect(readdirSync(folder.path)).toEqual([]);
  });

  it('in a folder where nothing can be written is unavailable', () => {
    const config = storeConfig(readSettings({ DATA_DIR: '/proc/corral' }).settings);
    expect(() => openStore(config, { role: 'gateway' })).toThrow(StoreUnavailable);
  });

  it('can be created and opened by many processes at once, and they print nothing of their own', async () => {
    await using folder = await temporaryFolder();
    const children = Array.from({ length: 6 }, () => openInChild(folder.path));
    expect(await Promise.all(children)).toEqual(children.map(() => ({ stdout: 'done\n', stderr: '' })));
  });

  it('in a folder of somebody else is unavailable', async () => {
    await using folder = await temporaryFolder();
    chmodSync(folder.path, 0o555);
    const nobody = process.getuid?.() === 0 ? ['65534'] : [];
    const { stdout } = await openInChild(folder.path, nobody);
    expect(stdout).toBe('StoreUnavailable no-permission\n');
  });
});

const openInChild = (dataDir: string, user: readonly string[] = []) =>
  promisify(execFile)(
    process.execPath,
    [join(projectFolder, 'test/harness/programs/use-store.ts'), 'open', ...user],
    { env: { DATA_DIR: dataDir } },
  );
