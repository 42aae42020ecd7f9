import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../test/harness/temporary-folder.ts';
import { ensureFirstKey, type FirstSecret } from './first-key.ts';
import { readKeyFile } from './key-file.ts';
import { KeyRing } from './key-ring.ts';

describe('ensureFirstKey', () => {
  it('makes one key that works, however many try at once, and shows it before it is kept', async () => {
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

  it('makes none beside keys of the ancestor', async () => {
    await using folder = await temporaryFolder();
    await writeFile(folder.file('api_keys.txt'), 'app:sk-0123456789abcdef\n');
    const show = () => expect.unreachable();
    expect(await ensureFirstKey(folder.file('api_keys.txt'), show)).toBeUndefined();
  });
});
