import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../test/harness/temporary-folder.ts';
import { addKey } from './change-keys.ts';
import type { Key } from './key.ts';
import { ensureFirstKey, type FirstSecret, readKeyFile, updateKeyFile } from './key-file.ts';
import { KeyRing } from './key-ring.ts';
import { createKey } from './secret.ts';

const programs = join(import.meta.dirname, '../test/harness/programs');
const addKeys = (file: string, prefix: string, count: number) =>
  execa(process.execPath, [join(programs, 'add-keys.ts'), file, prefix, String(count)], { reject: false });
const adding = (id: string) => (keys: readonly Key[]) => addKey(keys, createKey(id, {}, Date.now()).key);
const idsIn = async (file: string) => (await readKeyFile(file)).keys.map(({ id }) => id);
const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

describe('updateKeyFile', () => {
  it('creates the file and its folders, readable only by the owner', async () => {
    await using folder = await temporaryFolder();
    const file = folder.file('a/b/keys.json');
    await updateKeyFile(file, adding('app'));
    expect(await idsIn(file)).toEqual(['app']);
    expect(await modeOf(file)).toBe('600');
    expect(await modeOf(folder.file('a/b'))).toBe('700');
  });

  it('loses no change when eight processes write two hundred times', async () => {
    await using folder = await temporaryFolder();
    const file = folder.file('keys.json');
    const writers = Array.from({ length: 8 }, (_, n) => addKeys(file, `writer${n}`, 25));
    const outcomes = await Promise.all(writers);
    expect(outcomes.map(({ exitCode, stderr }) => [exitCode, stderr])).toEqual(outcomes.map(() => [0, '']));
    const printed = outcomes.flatMap(({ stdout }) => stdout.split('\n'));
    expect(printed).toHaveLength(200);
    expect((await idsIn(file)).sort()).toEqual(printed.sort());
  });

  it('leaves the old or the new file when a writer is killed, and the next writer continues', async () => {
    await using folder = await temporaryFolder();
    const file = folder.file('sub/keys.json');
    const preload = join(programs, 'die-at-step.ts');
    let expected: string[] = [];
    let deaths = 0;
    for (; ; deaths++) {
      const { signal, exitCode } = await execa(
        process.execPath,
        ['--import', preload, join(programs, 'add-keys.ts'), file, `step${deaths}`, '1'],
        { reject: false, env: { DIE_AT_STEP: String(deaths) } },
      );
      const ids = await idsIn(file);
      const added = [...expected, `step${deaths}-1`];
      if (signal !== 'SIGKILL') {
        expect([exitCode, ids]).toEqual([0, added]);
        break;
      }
      expect([expected, added]).toContainEqual(ids);
      expected = ids;
    }
    expect(deaths).toBeGreaterThanOrEqual(7);
    expect((await readdir(folder.file('sub'))).sort()).toEqual(['.keys.json.lock', 'keys.json']);
  });

  it('keeps every reported change when writers are killed', async () => {
    await using folder = await temporaryFolder();
    const file = folder.file('keys.json');
    const printed: string[] = [];
    for (let round = 0; round < 10; round++) {
      const writer = addKeys(file, `round${round}`, 1000);
      let seen = '';
      writer.stdout.on('data', (chunk) => {
        seen += chunk;
        // Each round kills the writer at another moment.
        if (seen.split('\n').length > round) writer.kill('SIGKILL');
      });
      await writer;
      printed.push(...seen.split('\n').filter((id) => id !== ''));
      const ids = await idsIn(file);
      expect(ids).toEqual(expect.arrayContaining(printed));
    }
    expect(printed.length).toBeGreaterThan(10);
  });

  it('keeps fields that a newer version wrote', async () => {
    await using folder = await temporaryFolder();
    const file = folder.file('keys.json');
    await updateKeyFile(file, adding('old'));
    const content = JSON.parse(await readFile(file, 'utf8'));
    await writeFile(
      file,
      JSON.stringify({ ...content, team: 'x', keys: [{ ...content.keys[0], colour: 'red' }] }),
    );
    await updateKeyFile(file, adding('new'));
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({
      version: 1,
      team: 'x',
      keys: [{ id: 'old', colour: 'red' }, { id: 'new' }],
    });
  });

  it('writes to the target of a symlink', async () => {
    await using folder = await temporaryFolder();
    await mkdir(folder.file('real'));
    await updateKeyFile(folder.file('real/keys.json'), adding('first'));
    await symlink('real/keys.json', folder.file('link.json'));
    await updateKeyFile(folder.file('link.json'), adding('second'));
    expect(await idsIn(folder.file('real/keys.json'))).toEqual(['first', 'second']);
    expect(await readFile(folder.file('link.json'), 'utf8')).toBe(
      await readFile(folder.file('real/keys.json'), 'utf8'),
    );
  });

  it('keeps the file mode and warns if others can read the file', async () => {
    await using folder = await temporaryFolder();
    const file = folder.file('keys.json');
    await updateKeyFile(file, adding('a'));
    await chmod(file, 0o640);
    const { warnings } = await updateKeyFile(file, adding('b'));
    expect(await modeOf(file)).toBe('640');
    expect(warnings).toEqual([`${file} has mode 0640 and is readable by others: chmod 600 ${file}`]);
  });

  it.each([
    ['app:sk-0123456789abcdef\n', /corral keys import/],
    ['{"version":2,"keys":[]}', /version 2/],
    ['{"version":1,"keys":[{}]}', /keys\[0\]\.id/],
    ['{"version":1', /not valid JSON/],
  ])('does not change %j and reports why', async (content, message) => {
    await using folder = await temporaryFolder();
    const file = folder.file('keys');
    await writeFile(file, content);
    await expect(updateKeyFile(file, adding('app'))).rejects.toThrow(message);
    await expect(updateKeyFile(file, adding('app'))).rejects.toThrow(file);
    expect(await readFile(file, 'utf8')).toBe(content);
  });

  it('writes no key that it could not read again', async () => {
    await using folder = await temporaryFolder();
    const file = folder.file('keys.json');
    await updateKeyFile(file, adding('app'));
    const before = await readFile(file, 'utf8');
    const bad = { usersFrom: '' };
    const update = updateKeyFile(file, (keys) => keys.map((key) => ({ ...key, ...bad })));
    await expect(update).rejects.toThrow(/keys\.json.*usersFrom/s);
    expect(await readFile(file, 'utf8')).toBe(before);
  });

  it('leaves the file unchanged and the lock free when the change throws', async () => {
    await using folder = await temporaryFolder();
    const file = folder.file('keys.json');
    await updateKeyFile(file, adding('app'));
    const before = await readFile(file, 'utf8');
    await expect(updateKeyFile(file, adding('app'))).rejects.toThrow('key "app" already exists');
    expect(await readFile(file, 'utf8')).toBe(before);
    await updateKeyFile(file, adding('next'));
    expect(await idsIn(file)).toEqual(['app', 'next']);
  });
});

describe('ensureFirstKey', () => {
  it('creates one working key when several processes try at once, and shows it before it is saved', async () => {
    await using folder = await temporaryFolder();
    const file = folder.file('keys.json');
    const shown: FirstSecret[] = [];
    const show = (first: FirstSecret) => {
      expect(existsSync(file)).toBe(false);
      shown.push(first);
    };
    const made = await Promise.all(Array.from({ length: 5 }, () => ensureFirstKey(file, show)));
    const [first, ...others] = made.filter((key) => key !== undefined);
    expect(others).toEqual([]);
    expect(shown).toEqual([first]);
    const ring = new KeyRing((await readKeyFile(file)).keys);
    expect(ring.keys).toHaveLength(1);
    expect(ring.authenticate(first?.secret ?? '', Date.now())).toMatchObject({ key: { id: 'default' } });
  });

  it('creates no key if api_keys.txt has keys', async () => {
    await using folder = await temporaryFolder();
    await writeFile(folder.file('api_keys.txt'), 'app:sk-0123456789abcdef\n');
    const show = () => expect.unreachable();
    expect(await ensureFirstKey(folder.file('api_keys.txt'), show)).toBeUndefined();
  });
});
