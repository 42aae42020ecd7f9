import { Command } from 'commander';
import { describeItem } from '../../gateway/routes/store/item-object.ts';
import { formatCount, formatTime } from '../format-values.ts';
import { writeJson } from '../output.ts';
import { openLocalStore } from '../store/open-local-store.ts';
import { listCommand } from './list.ts';

const notes = `
Examples:
  corral conversations list --key app
  corral conversations export conv_123 > conversation.json

They work on the store of this machine (STORE=on, DATA_DIR), while a gateway runs or not. With STORE_KEY, export needs that
key. "corral responses purge" removes conversations.`;

/** `corral conversations`: the conversations that are stored for clients. */
export function conversationsCommand(): Command {
  const command = new Command('conversations')
    .description('list and export stored conversations')
    .addHelpText('after', notes);
  for (const verb of [conversationList(), exportCommand()])
    command.addCommand(verb.showHelpAfterError('(see --help)'));
  return command;
}

const conversationList = () =>
  listCommand({
    name: 'conversations',
    read: (store, key, limit) => {
      const page = store.conversations.list(key, { limit, order: 'desc' });
      return page === 'unknown-after' ? [] : page.conversations;
    },
    columns: ['ID', 'KEY', 'ITEMS', 'CREATED', 'LAST USED'],
    row: ({ id, owner, items, createdAt, usedAt }) => [
      id,
      owner || '(no key)',
      formatCount(items),
      formatTime(createdAt * 1000, '-'),
      formatTime(usedAt * 1000, '-'),
    ],
  });

const exportNotes = `
Example:
  corral conversations export conv_123 > conversation.json

Its metadata, and all items in their order. Another conversation can be created from a file with up to 20 items:
POST /v1/conversations accepts it as it is. Further items follow with POST /v1/conversations/{id}/items, 20 at a time.`;

function exportCommand(): Command {
  return new Command('export')
    .description('write a conversation with all its items as JSON')
    .argument('<id>', 'id of the conversation')
    .addHelpText('after', exportNotes)
    .action(exportConversation);
}

function exportConversation(id: string): void {
  const { store } = openLocalStore({ readsContents: true });
  using _ = store;
  const owner = store.conversations.ownerOf(id);
  const conversation = owner === undefined ? undefined : store.conversations.get(owner, id);
  if (conversation === undefined)
    throw new Error(`there is no stored conversation ${id}; "corral conversations list" lists them`);
  // The items that a response would see if it continued the conversation.
  const items = [...store.responses.historyBackwards(conversation.owner, { conversationId: id })].reverse();
  const { createdAt: created_at, metadata } = conversation;
  writeJson({ id, object: 'conversation', created_at, metadata, items: items.map(describeItem) });
}
