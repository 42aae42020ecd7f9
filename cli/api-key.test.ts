import { writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../test/harness/temporary-folder.ts';
import { readApiKey } from './api-key.ts';

describe('readApiKey', () => {
  it('reads the file, else CORRAL_API_KEY, else OPENAI_API_KEY', async () => {
    await using folder = await temporaryFolder();
    await writeFile(folder.file('key'), ' sk-file \nsecond line\n');
    const env = { CORRAL_API_KEY: 'sk-corral', OPENAI_API_KEY: 'sk-openai' };
    expect(await readApiKey(folder.file('key'), env)).toBe('sk-file');
    expect(await readApiKey(undefined, env)).toBe('sk-corral');
    expect(await readApiKey(undefined, { ...env, CORRAL_API_KEY: '' })).toBe('sk-openai');
    expect(await readApiKey(undefined, {})).toBeUndefined();
  });

  it('rejects a missing file and one without a key, without printing its content', async () => {
    await using folder = await temporaryFolder();
    await writeFile(folder.file('key'), 'two words\n');
    await expect(readApiKey(folder.file('none'), {})).rejects.toThrow(/cannot be read \(ENOENT\)/);
    await expect(readApiKey(folder.file('key'), {})).rejects.toThrow(/is not a key$/);
  });
});
