import { readKeyFile, updateKeyFile } from './key-file.ts';
import { newKey } from './new-key.ts';

/**
 * Makes a key named `default` where the file holds none; undefined where it holds some. Of several who try at once,
 * one makes it. Throws a KeyFileError.
 */
export async function ensureFirstKey(file: string): Promise<{ id: string; secret: string } | undefined> {
  if ((await readKeyFile(file)).keys.length > 0) return undefined;
  const { key, secret } = newKey('default', { note: 'made at the first start' }, Date.now());
  const { keys } = await updateKeyFile(file, (there) => (there.length > 0 ? there : [key]));
  return keys.includes(key) ? { id: key.id, secret } : undefined;
}
