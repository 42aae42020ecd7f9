import { Command } from 'commander';
import { createCommand } from './create.ts';
import { importCommand } from './import.ts';
import { listCommand, showCommand } from './list.ts';
import { disableCommand, enableCommand, removeCommand } from './revoke.ts';
import { rotateCommand } from './rotate.ts';
import { updateCommand } from './update.ts';
import { usageCommand } from './usage.ts';
import { userIdCommand } from './user-id.ts';

const notes = `
Examples:
  corral keys create app --expires 90d
  corral keys list
  corral keys update app --rpm 120
  corral keys rotate app --overlap 24h
  corral keys disable app
  corral keys usage --since 7d

Data is written to stdout, messages to stderr. Exit status: 0 success, 1 failure, 2 usage error.
Commands may run concurrently. A running gateway applies every change within a second.`;

/** `corral keys`: manages API keys. */
export function keysCommand(): Command {
  const command = new Command('keys')
    .description('create, list, change, rotate and revoke API keys, and show their usage')
    .addHelpText('after', notes);
  const verbs = [
    createCommand(),
    listCommand(),
    showCommand(),
    updateCommand(),
    rotateCommand(),
    disableCommand(),
    enableCommand(),
    removeCommand(),
    importCommand(),
    usageCommand(),
    userIdCommand(),
  ];
  for (const verb of verbs) command.addCommand(verb.showHelpAfterError('(see --help)'));
  return command;
}
