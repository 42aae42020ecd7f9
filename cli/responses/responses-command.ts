import { Command } from 'commander';
import { printable } from '../../log/printable.ts';
import { formatTime } from '../format-values.ts';
import { responsesPurgeCommand } from '../store/purge.ts';
import { exportCommand, showCommand } from './contents.ts';
import { listCommand } from './list.ts';

const notes = `
Examples:
  corral responses list --key app
  corral responses show resp_123
  corral responses export resp_123 > conversation.json
  corral responses purge --key app

They work on the store of this machine (STORE=on, DATA_DIR), while a gateway runs or not. With STORE_KEY, show and export
need that key.`;

/** `corral responses`: the responses that are stored for clients. */
export function responsesCommand(): Command {
  const command = new Command('responses')
    .description('list, show, export and remove stored responses')
    .addHelpText('after', notes);
  for (const verb of [responseList(), showCommand(), exportCommand(), responsesPurgeCommand()])
    command.addCommand(verb.showHelpAfterError('(see --help)'));
  return command;
}

const responseList = () =>
  listCommand({
    name: 'responses',
    read: (store, key, limit) => {
      const page = store.responses.list(key, { limit, order: 'desc' });
      return page === 'unknown-after' ? [] : page.responses;
    },
    columns: ['ID', 'KEY', 'STATUS', 'MODEL', 'CREATED', 'CONTINUES'],
    row: ({ id, owner, status, background, model, createdAt, previousId, conversationId }) => [
      id,
      owner || '(no key)',
      status + (background ? ', background' : ''),
      printable(model),
      formatTime(createdAt * 1000, '-'),
      conversationId ?? previousId ?? '-',
    ],
  });
