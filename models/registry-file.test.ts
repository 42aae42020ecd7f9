import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it, vi } from 'vitest';
import { type TemporaryFolder, temporaryFolder } from '../test/harness/temporary-folder.ts';
import { waitFor } from '../test/harness/wait-for.ts';
import { addModel } from './edit-registry.ts';
import {
  createRegistryStore,
  type RegistryStore,
  readRegistryFile,
  registryFilePath,
  updateRegistryFile,
} from './registry-file.ts';

/** The documented limit is one second; the rest is for a busy machine. */
const within = 2000;
const text = (...ids: string[]) =>
  JSON.stringify({ version: 1, models: ids.map((id) => ({ id, file: `${id}.gguf` })) });
const idsOf = ({ value }: RegistryStore) => value.registry.models.map(({ id }) => id).join();

function openStore(folder: TemporaryFolder, more: Partial<Parameters<typeof createRegistryStore>[0]> = {}) {
  return createRegistryStore({ file: folder.file('models.json'), modelsDir: '/models', ...more });
}

it('the file is MODELS_FILE, else models.json in the data folder', () => {
  expect(registryFilePath({ MODELS_FILE: '/etc/m.json', dataDir: '/data' })).toBe('/etc/m.json');
  expect(registryFilePath({ MODELS_FILE: undefined, dataDir: '/data' })).toBe('/data/models.json');
});

describe('a registry store', () => {
  it('is empty without a file, and follows the file when it appears and changes', async () => {
    await using folder = await temporaryFolder();
    const onChange = vi.fn();
    const store = openStore(folder, { onChange });
    expect([idsOf(store), store.problem]).toEqual(['', undefined]);
    await writeFile(folder.file('new'), text('a'));
    await rename(folder.file('new'), folder.file('models.json'));
    await waitFor('the first model', () => idsOf(store) === 'a', { within });
    await updateRegistryFile(folder.file('models.json'), '/models', (document) =>
      addModel(document, { id: 'b', file: 'b.gguf' }),
    );
    await waitFor('the second model', () => idsOf(store) === 'a,b', { within });
    expect(onChange).toHaveBeenCalledTimes(2);
    store.close();
  });

  it.each([
    ['a mistake', '{"version":1,"models":[{"id":"a"}]}', 'models[0]: has no source'],
    ['half a file', '{"version":1,', 'is not valid JSON'],
    ['no text', ' ', 'is empty: to remove all models, write {"version":1,"models":[]}'],
  ])('keeps the models on %s, reports it once, and recovers', async (_, broken, problem) => {
    await using folder = await temporaryFolder();
    const file = folder.file('models.json');
    await writeFile(file, text('a'));
    const onError = vi.fn();
    const store = openStore(folder, { onError });
    await writeFile(file, broken);
    expect(await store.reload()).toContain(`${file}: ${problem}`);
    await store.reload();
    expect([idsOf(store), store.failures]).toEqual(['a', expect.any(Number)]);
    expect(onError).toHaveBeenCalledExactlyOnceWith(expect.stringContaining(problem));
    await writeFile(file, text('b'));
    expect(await store.reload()).toBeUndefined();
    expect([idsOf(store), store.problem]).toEqual(['b', undefined]);
    store.close();
  });

  it('keeps the models when the file vanishes', async () => {
    await using folder = await temporaryFolder();
    await writeFile(folder.file('models.json'), text('a'));
    const store = openStore(folder);
    await rm(folder.file('models.json'));
    expect(await store.reload()).toContain('is missing: restore it; the previous models stay in use');
    expect(idsOf(store)).toBe('a');
    store.close();
  });

  it('keeps the models when the check of the machine finds a problem', async () => {
    await using folder = await temporaryFolder();
    await writeFile(folder.file('models.json'), text('a'));
    const store = openStore(folder, { check: ({ models }) => (models.length > 1 ? ['b: too large'] : []) });
    await writeFile(folder.file('models.json'), text('a', 'b'));
    expect(await store.reload()).toContain('b: too large');
    expect(idsOf(store)).toBe('a');
    store.close();
  });

  it('starts with a problem when the first file has mistakes', async () => {
    await using folder = await temporaryFolder();
    await writeFile(folder.file('models.json'), '[]');
    const store = openStore(folder);
    expect([idsOf(store), store.problem]).toEqual(['', expect.stringContaining('expected a JSON object')]);
    store.close();
  });
});

describe('an update', () => {
  it('by many writers at once loses nothing', async () => {
    await using folder = await temporaryFolder();
    const file = folder.file('models.json');
    const program = join(import.meta.dirname, '../test/harness/programs/add-models.ts');
    const writers = ['a', 'b', 'c'].map((prefix) => execa(process.execPath, [program, file, prefix, '5']));
    await Promise.all(writers);
    const { registry } = await readRegistryFile(file, '/models');
    expect(registry.models.map(({ id }) => id).sort()).toEqual(
      ['a', 'b', 'c'].flatMap((prefix) => [0, 1, 2, 3, 4].map((n) => `${prefix}${n}`)),
    );
  });

  it('keeps what its author wrote', async () => {
    await using folder = await temporaryFolder();
    const file = folder.file('models.json');
    const model = { id: 'a', file: 'a', ttl: '5m', limits: { memory: '6GiB' } };
    await writeFile(file, JSON.stringify({ models: [model], version: 1 }));
    await updateRegistryFile(file, '/models', (document) => addModel(document, { id: 'b', hf: 'u/r' }));
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({
      version: 1,
      models: [model, { id: 'b', hf: 'u/r' }],
      aliases: [],
    });
  });

  it('whose result has mistakes, or of a file with mistakes, changes nothing', async () => {
    await using folder = await temporaryFolder();
    const file = folder.file('models.json');
    await writeFile(file, text('a'));
    const add = (fields: object) =>
      updateRegistryFile(file, '/models', (document) => addModel(document, { id: 'b', ...fields }));
    await expect(add({ file: '../b' })).rejects.toThrow(`${file}: models[1].file: invalid value "../b"`);
    expect(await readFile(file, 'utf8')).toBe(text('a'));
    await writeFile(file, '{}');
    await expect(add({ file: 'b' })).rejects.toThrow(`${file}: version: is missing`);
    expect(await readFile(file, 'utf8')).toBe('{}');
  });
});
