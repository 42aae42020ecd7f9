import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { changeKey, findKey, removeKey } from '../../keys/change-keys.ts';
import { readKeyFile, updateKeyFile } from '../../keys/key-file.ts';
import { confirm } from '../confirm.ts';
import { jsonOption } from '../options.ts';
import { writeJson, writeStderr } from '../output.ts';
import { findFileKey } from './find-key.ts';
import { keyWithState } from './list.ts';
import { fileOption, resolveKeyFile } from './options.ts';

const examples = `
Examples:
  corral keys remove app
  corral keys remove app --yes    without confirmation
  corral keys remove app --now    also end its running requests

Without a terminal, --yes is required. To block a key temporarily, disable it. If the gateway reads the key file
from a network volume, disable the key with --now first: changes may arrive there later than --now waits.`;

/** A gateway applies a change of the key file within a second. */
const RELOAD_MS = 1500;

interface RemoveOptions {
  readonly file?: string;
  readonly yes?: true;
  readonly now?: true;
}

export function removeCommand(): Command {
  return new Command('remove')
    .description('remove a key permanently')
    .alias('rm')
    .argument('<id>', 'id of the key')
    .option('--now', 'end its running requests, which otherwise finish')
    .option('--yes', 'skip the confirmation')
    .addOption(fileOption())
    .addHelpText('after', examples)
    .action(remove);
}

async function remove(id: string, options: RemoveOptions): Promise<void> {
  const file = resolveKeyFile(options.file);
  findFileKey((await readKeyFile(file)).keys, id);
  if (!options.yes) await confirm(`Remove key "${id}" from ${file} permanently?`);
  if (options.now) await cutOff(file, id);
  const { warnings } = await updateKeyFile(file, (keys) => removeKey(keys, id));
  for (const line of [...warnings, `Removed key "${id}".`]) writeStderr(line);
}

/** The gateway ends the requests when it sees this record, so the record must stay until then. */
async function cutOff(file: string, id: string): Promise<void> {
  await updateKeyFile(file, (keys) =>
    changeKey(keys, id, (key) => ({ ...key, disabled: true, cutOff: true })),
  );
  await sleep(RELOAD_MS);
}

interface SwitchOptions {
  readonly file?: string;
  readonly json?: true;
  readonly now?: boolean;
}

const disableExamples = `
Examples:
  corral keys disable app
  corral keys disable app --now    also end its running requests

New requests are rejected within a second.`;

export function disableCommand(): Command {
  return switchCommand('disable', 'disable a key until it is enabled again', true)
    .option('--now', 'end its running requests, which otherwise finish')
    .addHelpText('after', disableExamples);
}

export function enableCommand(): Command {
  return switchCommand('enable', 'enable a disabled key', false).addHelpText(
    'after',
    '\nExample:\n  corral keys enable app\n\nThe key works again within a second.',
  );
}

function switchCommand(verb: string, description: string, disabled: boolean): Command {
  return new Command(verb)
    .description(description)
    .argument('<id>', 'id of the key')
    .addOption(fileOption())
    .addOption(jsonOption())
    .action(async (id: string, { file, json, now = false }: SwitchOptions) => {
      const { keys, warnings } = await updateKeyFile(resolveKeyFile(file), (there) => {
        const switched = { ...findFileKey(there, id), disabled, cutOff: now };
        return changeKey(there, id, () => switched);
      });
      const ending = now ? '; its running requests end' : '';
      for (const line of [...warnings, `Key "${id}" ${verb}d${ending}.`]) writeStderr(line);
      if (json) writeJson(keyWithState(findKey(keys, id), Date.now()));
    });
}
