import { Command } from 'commander';
import { storePurgeCommand } from './purge.ts';
import { usageCommand } from './usage.ts';

const notes = `
Examples:
  corral store usage
  corral store purge --owner app
  corral store purge --older-than 7d
  corral store purge --all

The store is what STORE=on keeps in DATA_DIR: files, batches, responses and conversations of clients. A gateway may be
running.`;

/** `corral store`: what is kept for clients, and its removal. */
export function storeCommand(): Command {
  const command = new Command('store')
    .description('show and remove what is stored for clients')
    .addHelpText('after', notes);
  for (const verb of [usageCommand(), storePurgeCommand()])
    command.addCommand(verb.showHelpAfterError('(see --help)'));
  return command;
}
