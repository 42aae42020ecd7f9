import { Command } from 'commander';
import { changeKey, findKey } from '../../keys/change-keys.ts';
import { updateKeyFile } from '../../keys/key-file.ts';
import { writeJson, writeStderr } from '../output.ts';
import { fileOption, jsonOption, resolveKeyFile } from './key-file-option.ts';
import { keyWithState } from './list.ts';

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
      const { keys, warnings } = await updateKeyFile(resolveKeyFile(file), (there) =>
        changeKey(there, id, (key) => ({ ...key, disabled, cutOff: now })),
      );
      const ending = now ? '; its running requests end' : '';
      for (const line of [...warnings, `Key "${id}" ${verb}d${ending}.`]) writeStderr(line);
      if (json) writeJson(keyWithState(findKey(keys, id), Date.now()));
    });
}
