import { Command } from 'commander';
import { createCommand } from './create.ts';
import { disableCommand, enableCommand } from './disable.ts';
import { importCommand } from './import.ts';
import { listCommand } from './list.ts';
import { removeCommand } from './remove.ts';
import { rotateCommand } from './rotate.ts';
import { showCommand } from './show.ts';
import { usageCommand } from './usage.ts';

const notes = `
Examples:
  corral keys create app --expires 90d
  corral keys list
  corral keys rotate app --overlap 24h
  corral keys disable app
  corral keys usage --since 7d

Data goes to stdout, words to stderr. The exit status is 0 for done, 1 for failed, 2 for wrong use.
Several commands may run at once, beside a running gateway, which sees every change within a second.`;

/** `corral keys`: all that an operator does with API keys. */
export function keysCommand(): Command {
  const command = new Command('keys')
    .description('make, list, rotate and stop API keys, and show what they used')
    .addHelpText('after', notes);
  const verbs = [
    createCommand(),
    listCommand(),
    showCommand(),
    rotateCommand(),
    disableCommand(),
    enableCommand(),
    removeCommand(),
    importCommand(),
    usageCommand(),
  ];
  for (const verb of verbs) command.addCommand(verb.showHelpAfterError('(--help tells more)'));
  return command;
}
