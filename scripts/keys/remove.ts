import { Command } from 'commander';
import { findKey, removeKey } from '../../keys/change-keys.ts';
import { readKeyFile, updateKeyFile } from '../../keys/key-file.ts';
import { agreed } from './agreed.ts';
import { say } from './say.ts';
import { fileOption, whichFile } from './which-file.ts';

const examples = `
Examples:
  corral keys remove app
  corral keys remove app --yes    asks nothing

A script is never asked. To stop a key for a while, disable it.`;

export function removeCommand(): Command {
  return new Command('remove')
    .description('remove a key for good')
    .argument('<id>', 'the key')
    .option('--yes', 'do not ask')
    .addOption(fileOption())
    .addHelpText('after', examples)
    .action(remove);
}

async function remove(id: string, options: { readonly file?: string; readonly yes?: true }): Promise<void> {
  const file = whichFile(options.file);
  findKey((await readKeyFile(file)).keys, id);
  if (!options.yes && !(await agreed(`Remove key "${id}" from ${file} for good? [y/N] `))) {
    throw new Error('nothing was removed');
  }
  const { warnings } = await updateKeyFile(file, (keys) => removeKey(keys, id));
  for (const line of [...warnings, `Removed key "${id}".`]) say(line);
}
