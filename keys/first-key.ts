import { readKeyFile, updateKeyFile } from './key-file.ts';
import { createKey } from './new-key.ts';

export interface FirstSecret {
  readonly id: string;
  readonly secret: string;
}

/**
 * Makes a key named `default` where the file holds none; undefined where it holds some. Of several who try at once,
 * one makes it. It is shown right before it is written: no crash leaves a key whose secret nobody has seen. Throws a
 * KeyFileError.
 */
export async function ensureFirstKey(
  file: string,
  show: (first: FirstSecret) => void,
): Promise<FirstSecret | undefined> {
  if ((await readKeyFile(file)).keys.length > 0) return undefined;
  const { key, secret } = createKey('default', { note: 'created at the first start' }, Date.now());
  const first = { id: key.id, secret };
  const { keys } = await updateKeyFile(file, (there) => {
    if (there.length > 0) return there;
    show(first);
    return [key];
  });
  return keys.includes(key) ? first : undefined;
}
