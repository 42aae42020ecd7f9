/** Adds the keys PREFIX-1 … PREFIX-N to FILE, one write each, and prints every id once it is in: FILE PREFIX N */
import { addKey } from '../../../keys/change-keys.ts';
import { updateKeyFile } from '../../../keys/key-file.ts';
import { createKey } from '../../../keys/secret.ts';

const [file = '', prefix = '', count = ''] = process.argv.slice(2);
for (let n = 1; n <= Number(count); n++) {
  const { key } = createKey(`${prefix}-${n}`, {}, Date.now());
  await updateKeyFile(file, (keys) => addKey(keys, key));
  process.stdout.write(`${key.id}\n`);
}
