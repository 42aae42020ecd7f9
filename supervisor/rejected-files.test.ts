import { renameSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parseRegistry } from '../models/parse-registry.ts';
import type { ModelRecord } from '../models/registry.ts';
import { temporaryFolder } from '../test/harness/temporary-folder.ts';
import { RejectedFiles } from './rejected-files.ts';

function recordOf(path: string): ModelRecord {
  const [record] = parseRegistry(JSON.stringify({ version: 1, models: [{ id: 'a', path }] }), '/').models;
  if (!record) throw new Error('no record');
  return record;
}

it('a file that was rejected is worth another load only after a change', async () => {
  await using folder = await temporaryFolder();
  const [path, files] = [folder.file('a.gguf'), new RejectedFiles()];
  writeFileSync(path, 'GGUF damaged');
  files.onRejected(recordOf(path));
  expect(files.haveChanged(recordOf(path))).toBe(false);
  writeFileSync(path, 'GGUF of another size');
  expect(files.haveChanged(recordOf(path))).toBe(true);
});

it('a file that was missing is worth a load when it is there', async () => {
  await using folder = await temporaryFolder();
  const [path, files] = [folder.file('a.gguf'), new RejectedFiles()];
  files.onRejected(recordOf(path));
  expect(files.haveChanged(recordOf(path))).toBe(false);
  writeFileSync(path, 'GGUF');
  expect(files.haveChanged(recordOf(path))).toBe(true);
});

it('a file that was loaded before and came back in time is tried once more, but not for ever', async () => {
  await using folder = await temporaryFolder();
  const [path, files] = [folder.file('a.gguf'), new RejectedFiles()];
  writeFileSync(path, 'GGUF');
  files.onReady(recordOf(path));
  renameSync(path, `${path}.away`);
  renameSync(`${path}.away`, path);
  files.onRejected(recordOf(path));
  expect(files.haveChanged(recordOf(path))).toBe(true);
  files.onRejected(recordOf(path));
  expect(files.haveChanged(recordOf(path))).toBe(false);
});
