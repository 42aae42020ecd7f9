import { existsSync } from 'node:fs';
import { mkdir, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { execa } from 'execa';
import { describe, expect, it, vi } from 'vitest';
import { temporaryFolder } from '../test/harness/temporary-folder.ts';
import { waitFor } from '../test/harness/wait-for.ts';
import { addKey, changeKey, removeKey } from './change-keys.ts';
import { keyDefaults } from './key.ts';
import { updateKeyFile } from './key-file.ts';
import { keyFilePath } from './key-file-path.ts';
import { createKeyStore, type KeyStore } from './key-store.ts';
import { formatKeysJson } from './keys-json.ts';
import { createKey, fingerprint } from './secret.ts';

const line = (id: string) => `${id}:sk-${id.padEnd(20, id)}\n`;
const secretOf = (id: string) => `sk-${id.padEnd(20, id)}`;
const idsOf = (store: KeyStore) => store.ring.keys.map(({ id }) => id).join();
const toServe = (store: KeyStore, ids: string) => waitFor(`the keys ${ids}`, () => idsOf(store) === ids);

describe('createKeyStore', () => {
  it('has no keys and no problem without a file, and loads the file when it appears', async () => {
    await using folder = await temporaryFolder();
    const file = folder.file('later/keys.json');
    const store = await createKeyStore({ file });
    expect([idsOf(store), store.problem]).toEqual(['', undefined]);
    await updateKeyFile(file, (keys) => addKey(keys, createKey('app', {}, Date.now()).key));
    await toServe(store, 'app');
    store.close();
  });

  it('applies keys that the command creates, disables and removes within a second', async () => {
    await using folder = await temporaryFolder();
    const file = folder.file('keys.json');
    const { key, secret } = createKey('app', {}, Date.now());
    await updateKeyFile(file, (keys) => addKey(keys, key));
    const store = await createKeyStore({ file });
    const outcome = () => JSON.stringify(store.ring.authenticate(secret, Date.now()));
    expect(outcome()).toContain('accepted');
    await updateKeyFile(file, (keys) => changeKey(keys, 'app', (it) => ({ ...it, disabled: true })));
    await waitFor('a disabled key to be rejected', () => outcome().includes('disabled'));
    await updateKeyFile(file, (keys) => removeKey(keys, 'app'));
    await waitFor('a removed key to be unknown', () => outcome().includes('unknown'));
    store.close();
  });

  it('says in words why a file cannot be read', async () => {
    await using folder = await temporaryFolder();
    await writeFile(folder.file('file'), '');
    const file = folder.file('file/keys.json');
    const store = await createKeyStore({ file });
    expect(store.problem).toBe(`${file}: a part of its path is a file, not a directory`);
    store.close();
  });

  it('continues to read the file when a callback throws', async () => {
    await using folder = await temporaryFolder();
    const file = folder.file('keys');
    await writeFile(file, line('a'));
    const complaints: string[] = [];
    const store = await createKeyStore({
      file,
      onChange: () => {
        throw new Error('no room for a line');
      },
      onError(problem) {
        complaints.push(problem);
        throw new Error('nor for a complaint');
      },
    });
    for (const id of ['b', 'c', 'd']) {
      await writeFile(file, line(id));
      await store.reload();
      expect(idsOf(store)).toBe(id);
    }
    expect(complaints.join()).toContain('no room for a line');
    store.close();
  });

  it('does not change a ring that a request holds', async () => {
    await using folder = await temporaryFolder();
    await writeFile(folder.file('keys'), line('a'));
    const store = await createKeyStore({ file: folder.file('keys') });
    const held = store.ring;
    await writeFile(folder.file('keys'), line('b'));
    await toServe(store, 'b');
    expect(held.authenticate(secretOf('a'), Date.now()).outcome).toBe('accepted');
    expect(store.ring.authenticate(secretOf('a'), Date.now()).outcome).toBe('rejected');
    store.close();
  });

  it('notices every replacement by rename', async () => {
    await using folder = await temporaryFolder();
    const file = folder.file('keys');
    await writeFile(file, line('n0'));
    const store = await createKeyStore({ file });
    for (const id of ['n1', 'n2', 'n3']) {
      await writeFile(folder.file('new'), line(id));
      await rename(folder.file('new'), file);
      await toServe(store, id);
    }
    store.close();
  });

  it('follows the symlink swaps of a Kubernetes secret and always has keys', async () => {
    await using folder = await temporaryFolder();
    const onError = vi.fn();
    const mount = async (version: string) => {
      const dated = `..2026_11_21_${version}`;
      await mkdir(folder.file(dated));
      await writeFile(folder.file(`${dated}/keys`), line(version));
      await symlink(dated, folder.file('..data_tmp'));
      const before = await readlink(folder.file('..data')).catch(() => undefined);
      await rename(folder.file('..data_tmp'), folder.file('..data'));
      if (before !== undefined) await rm(folder.file(before), { recursive: true });
    };
    await mount('v1');
    await symlink('..data/keys', folder.file('keys'));
    const store = await createKeyStore({ file: folder.file('keys'), onError });
    expect(idsOf(store)).toBe('v1');
    for (const version of ['v2', 'v3', 'v4']) {
      await mount(version);
      await toServe(store, version);
    }
    expect(onError).not.toHaveBeenCalled();
    store.close();
  });

  it('follows swaps of a symlinked folder that causes no events', async () => {
    await using folder = await temporaryFolder();
    for (const version of ['v1', 'v2']) {
      await mkdir(folder.file(version));
      await writeFile(folder.file(`${version}/keys`), line(version));
    }
    await symlink('v1', folder.file('current'));
    const store = await createKeyStore({ file: folder.file('current/keys') });
    expect(idsOf(store)).toBe('v1');
    // The watch follows the folder of the first version: only the poll detects the second one.
    await symlink('v2', folder.file('next'));
    await rename(folder.file('next'), folder.file('current'));
    await toServe(store, 'v2');
    store.close();
  });

  it('notices a change at the far end of a symlink, which causes no event', async () => {
    await using folder = await temporaryFolder();
    await mkdir(folder.file('far'));
    await mkdir(folder.file('near'));
    await writeFile(folder.file('far/keys'), line('a'));
    await symlink('../far/keys', folder.file('near/keys'));
    const store = await createKeyStore({ file: folder.file('near/keys') });
    await writeFile(folder.file('far/keys'), line('b'));
    await toServe(store, 'b');
    store.close();
  });

  it.each([
    ['broken', '{"version":1,"keys":[{"id":"app"}]}', /keys\[0\]\.fingerprint \(key "app"\)/],
    ['newer', '{"version":9,"keys":[]}', /version 9/],
    ['cut off', '{"version":1,"ke', /not valid JSON/],
    ['emptied', '', /is empty/],
    ['gone', undefined, /is missing/],
  ])(
    'keeps the last valid keys while the file is %s, reports it once, and recovers',
    async (_, content, why) => {
      await using folder = await temporaryFolder();
      const file = folder.file('keys');
      await writeFile(file, line('good'));
      const onError = vi.fn();
      const onChange = vi.fn();
      const onRecovered = vi.fn();
      const store = await createKeyStore({ file, onError, onChange, onRecovered });
      if (content === undefined) await rm(file);
      else await writeFile(file, content);
      await waitFor('the problem', () => store.problem && onError.mock.calls.some(([p]) => why.test(p)));
      expect(await store.reload()).toMatchObject({
        outcome: 'kept',
        keys: 1,
        problem: expect.stringMatching(why),
      });
      expect(store.problem).toContain(file);
      expect(idsOf(store)).toBe('good');
      expect(store.failures).toBeGreaterThanOrEqual(1);
      const loadedAt = store.loadedAt ?? 0;
      expect(onError.mock.calls.filter(([p]) => why.test(p))).toHaveLength(1);
      expect([onChange.mock.calls, onRecovered.mock.calls]).toEqual([[], []]);
      // Replaced as a whole: written in place, it is empty for a moment.
      const replace = async (text: string) => {
        await writeFile(`${file}.new`, text);
        await rename(`${file}.new`, file);
      };
      await replace(line('good'));
      await waitFor('the end of the problem', () => onRecovered.mock.calls.length > 0);
      expect(onRecovered.mock.calls).toEqual([[`${file} is valid again, and the same as before`]]);
      expect([store.problem, onChange.mock.calls]).toEqual([undefined, []]);
      await replace(line('better'));
      await toServe(store, 'better');
      expect(store.problem).toBeUndefined();
      expect(store.loadedAt).toBeGreaterThan(loadedAt);
      expect(onRecovered).toHaveBeenCalledTimes(1);
      store.close();
    },
  );

  it.each([
    ['a folder', (file: string) => mkdir(file), /is a directory, not a file/],
    ['a pipe', (file: string) => execa('mkfifo', [file]), /is a pipe or device, not a file/],
    ['a link to nowhere', (file: string) => symlink('nowhere', file), /is missing/],
    ['a link that leads in a circle', (file: string) => symlink(file, file), /symbolic links form a loop/],
  ])(
    'keeps the last good set while %s is in its place, does not block, and recovers',
    async (_, put, why) => {
      await using folder = await temporaryFolder();
      const file = folder.file('keys');
      await writeFile(file, line('good'));
      const store = await createKeyStore({ file });
      await rm(file);
      await put(file);
      await waitFor('the problem', () => why.test(store.problem ?? ''));
      expect(idsOf(store)).toBe('good');
      const second = await createKeyStore({ file });
      expect([idsOf(second), second.problem === undefined]).toEqual(['', String(why) === '/is missing/']);
      second.close();
      await rm(file, { recursive: true });
      await writeFile(file, line('better'));
      await toServe(store, 'better');
      store.close();
    },
  );

  it('accepts a byte order mark and other line ends', async () => {
    await using folder = await temporaryFolder();
    const { key, secret } = createKey('app', {}, 0);
    const json = formatKeysJson({ keys: [key], extraFields: {} });
    for (const text of [`\ufeff${json.replaceAll('\n', '\r\n')}`, `\ufeffapp:${secret}\r\n\r\n# end\r\n`]) {
      await writeFile(folder.file('keys'), text);
      const store = await createKeyStore({ file: folder.file('keys') });
      expect(store.problem).toBeUndefined();
      expect(store.ring.authenticate(secret, Date.now())).toMatchObject({ outcome: 'accepted' });
      store.close();
    }
  });

  it('starts without keys and with a problem if the file is invalid', async () => {
    await using folder = await temporaryFolder();
    await writeFile(folder.file('keys'), '{');
    const store = await createKeyStore({ file: folder.file('keys') });
    expect(idsOf(store)).toBe('');
    expect(store.problem).toMatch(/keys: is not valid JSON/);
    store.close();
  });

  it('uses API_KEYS in addition to the file, before and after it exists', async () => {
    await using folder = await temporaryFolder();
    const file = folder.file('keys');
    const store = await createKeyStore({ file, inline: `env:${secretOf('env')},bad` });
    expect(idsOf(store)).toBe('env');
    expect(store.warnings).toEqual([expect.stringContaining('API_KEYS, entry 2')]);
    await writeFile(file, line('a'));
    await toServe(store, 'a,env');
    store.close();
  });

  it('keeps built-in keys through every change of the file', async () => {
    await using folder = await temporaryFolder();
    const file = folder.file('keys');
    const own = { ...keyDefaults, id: 'own', fingerprint: fingerprint(secretOf('own')), hint: '' };
    const store = await createKeyStore({ file, builtInKeys: [own] });
    expect(idsOf(store)).toBe('own');
    await writeFile(file, line('a'));
    await toServe(store, 'own,a');
    expect(store.ring.authenticate(secretOf('own'), 0)).toMatchObject({ outcome: 'accepted', key: own });
    store.close();
  });

  it('reload returns the number of keys and warns about skipped lines and the file mode', async () => {
    await using folder = await temporaryFolder();
    const file = folder.file('keys');
    await writeFile(file, `${line('a')}bad\n`, { mode: 0o644 });
    const store = await createKeyStore({ file });
    expect(await store.reload()).toEqual({
      outcome: 'loaded',
      keys: 1,
      warnings: [expect.stringContaining('line 2'), expect.stringContaining('mode 0644')],
    });
    store.close();
  });

  it('reports a change once, and not a touch that changes nothing', async () => {
    await using folder = await temporaryFolder();
    const file = folder.file('keys');
    await writeFile(file, line('a'));
    const onChange = vi.fn();
    const store = await createKeyStore({ file, onChange });
    await writeFile(file, line('a'));
    await store.reload();
    expect(onChange).not.toHaveBeenCalled();
    await writeFile(file, line('b'));
    await Promise.all([store.reload(), store.reload()]);
    expect(onChange).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ outcome: 'loaded', keys: 1 }));
    store.close();
  });

  it('follows the path of the file from api_keys.txt to keys.json', async () => {
    await using folder = await temporaryFolder();
    await writeFile(folder.file('api_keys.txt'), line('old'));
    const place = { AUTH_KEYS_FILE: undefined, dataDir: folder.path };
    const store = await createKeyStore({ file: () => keyFilePath(place, existsSync) });
    expect(idsOf(store)).toBe('old');
    await updateKeyFile(folder.file('keys.json'), (keys) =>
      addKey(keys, createKey('new', {}, Date.now()).key),
    );
    await toServe(store, 'new');
    store.close();
  });
});
