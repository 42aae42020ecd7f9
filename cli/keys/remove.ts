import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { changeKey, findKey, removeKey } from '../../keys/change-keys.ts';
import { readKeyFile, updateKeyFile } from '../../keys/key-file.ts';
import { writeStderr } from '../output.ts';
import { confirmed } from './confirm.ts';
import { fileOption, resolveKeyFile } from './key-file-option.ts';

const examples = `
Examples:
  corral keys remove app
  corral keys remove app --yes    without confirmation
  corral keys remove app --now    also end its running requests

Without a terminal there is no confirmation. To block a key temporarily, disable it. If the gateway reads the key file
from a network volume, disable the key with --now first: changes may arrive there later than --now waits.`;

/** A gateway sees a change of the key file within a second. */
const UNTIL_SEEN = 1500;

interface RemoveOptions {
  readonly file?: string;
  readonly yes?: true;
  readonly now?: true;
}

export function removeCommand(): Command {
  return new Command('remove')
    .description('remove a key permanently')
    .argument('<id>', 'id of the key')
    .option('--now', 'end its running requests, which otherwise finish')
    .option('--yes', 'skip the confirmation')
    .addOption(fileOption())
    .addHelpText('after', examples)
    .action(remove);
}

async function remove(id: string, options: RemoveOptions): Promise<void> {
  const file = resolveKeyFile(options.file);
  findKey((await readKeyFile(file)).keys, id);
  if (!options.yes && !(await confirmed(`Remove key "${id}" from ${file} permanently? [y/N] `))) {
    throw new Error('nothing was removed');
  }
  if (options.now) await cutOff(file, id);
  const { warnings } = await updateKeyFile(file, (keys) => removeKey(keys, id));
  for (const line of [...warnings, `Removed key "${id}".`]) writeStderr(line);
}

/** A gateway learns from the record that requests are to end, so the record stays until the gateway has seen it. */
async function cutOff(file: string, id: string): Promise<void> {
  await updateKeyFile(file, (keys) =>
    changeKey(keys, id, (key) => ({ ...key, disabled: true, cutOff: true })),
  );
  await sleep(UNTIL_SEEN);
}
