import { Command } from 'commander';
import { changeKey, findKey } from '../../keys/change-keys.ts';
import { updateKeyFile } from '../../keys/key-file.ts';
import { withState } from './list.ts';
import { printJson, say } from './say.ts';
import { fileOption, jsonOption, whichFile } from './which-file.ts';

export function disableCommand(): Command {
  return switchCommand('disable', 'stop a key from working, until it is enabled again', true);
}

export function enableCommand(): Command {
  return switchCommand('enable', 'let a disabled key work again', false);
}

function switchCommand(verb: string, description: string, disabled: boolean): Command {
  return new Command(verb)
    .description(description)
    .argument('<id>', 'the key')
    .addOption(fileOption())
    .addOption(jsonOption())
    .addHelpText('after', `\nExample:\n  corral keys ${verb} app\n\nNew requests see it within a second.`)
    .action(async (id: string, options: { readonly file?: string; readonly json?: true }) => {
      const { keys, warnings } = await updateKeyFile(whichFile(options.file), (there) =>
        changeKey(there, id, (key) => ({ ...key, disabled })),
      );
      for (const line of [...warnings, `Key "${id}" is ${verb}d.`]) say(line);
      if (options.json) printJson(withState(findKey(keys, id), Date.now()));
    });
}
