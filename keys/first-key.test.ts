import { writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../scripts/harness/temporary-folder.ts';
import { ensureFirstKey } from './first-key.ts';
import { readKeyFile } from './key-file.ts';
import { KeyRing } from './key-ring.ts';

describe('ensureFirstKey', () => {
  it('makes one key that works, however many try at once', async () => {
    await using folder = await temporaryFolder();
    const file = folder.file('keys.json');
    const made = await Promise.all(Array.from({ length: 5 }, () => ensureFirstKey(file)));
    const [first, ...others] = made.filter((key) => key !== undefined);
    expect(others).toEqual([]);
    const ring = new KeyRing((await readKeyFile(file)).keys);
    expect(ring.keys).toHaveLength(1);
    expect(ring.authenticate(first?.secret ?? '', Date.now())).toMatchObject({ key: { id: 'default' } });
  });

  it('makes none beside keys of the ancestor', async () => {
    await using folder = await temporaryFolder();
    await writeFile(folder.file('api_keys.txt'), 'app:sk-0123456789abcdef\n');
    expect(await ensureFirstKey(folder.file('api_keys.txt'))).toBeUndefined();
  });
});
