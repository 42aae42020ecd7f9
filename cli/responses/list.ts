import { Command, Option } from 'commander';
import type { ConversationSummary } from '../../store/conversations.ts';
import type { ResponseSummary } from '../../store/response.ts';
import type { Store } from '../../store/store.ts';
import { countOption, jsonOption, keyId } from '../options.ts';
import { align, writeJson, writeStderr, writeStdout } from '../output.ts';
import { openLocalStore } from '../store/open-local-store.ts';

interface StoredList<Item> {
  readonly name: 'responses' | 'conversations';
  /** The newest first, of this key or of all. */
  readonly read: (store: Store, key: string | undefined, limit: number) => readonly Item[];
  readonly columns: readonly string[];
  readonly row: (item: Item) => readonly string[];
}

interface ListOptions {
  readonly key?: string;
  readonly limit: number;
  readonly json?: true;
}

/** The command `list` of responses or of conversations. */
export function listCommand<Item extends ResponseSummary | ConversationSummary>({
  name,
  read,
  columns,
  row,
}: StoredList<Item>): Command {
  return new Command('list')
    .alias('ls')
    .description(`list stored ${name}, newest first`)
    .addOption(new Option('--key <id>', 'only those of this key').argParser(keyId))
    .addOption(countOption(20))
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `\nExamples:\n  corral ${name} list\n  corral ${name} list --key app --limit 100 --json | jq -r '.[].id'`,
    )
    .action(({ key, limit, json }: ListOptions) => {
      const { store } = openLocalStore();
      using _ = store;
      const items = read(store, key, limit);
      if (json) writeJson(items);
      else if (items.length === 0) writeStderr(`No ${name} are stored.`);
      else writeStdout(align([columns, ...items.map(row)]));
    });
}
