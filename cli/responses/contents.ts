import { Command } from 'commander';
import { withFields } from '../../gateway/api/json.ts';
import { describeItem } from '../../gateway/routes/store/item-object.ts';
import type { JsonObject } from '../../json/json-object.ts';
import { printable } from '../../log/printable.ts';
import type { StoredItem, StoredResponse } from '../../store/response.ts';
import type { Store } from '../../store/store.ts';
import { formatTime } from '../format-values.ts';
import { jsonOption } from '../options.ts';
import { align, writeJson, writeStdout } from '../output.ts';
import { openLocalStore } from '../store/open-local-store.ts';

const showNotes = `
Examples:
  corral responses show resp_123
  corral responses show resp_123 --json | jq .output

It shows what the response was asked and what it answered, without what it continues.`;

export function showCommand(): Command {
  return new Command('show')
    .description('show a stored response, with its own input and output')
    .argument('<id>', 'id of the response')
    .addOption(jsonOption())
    .addHelpText('after', showNotes)
    .action(show);
}

function show(id: string, { json }: { readonly json?: true }): void {
  const { store } = openLocalStore({ readsContents: true });
  using _ = store;
  const response = findResponse(store, id);
  const input = store.responses.ownInput(response.owner, id);
  const items = [...input, ...outputOf(response)].map(describeItem).map(itemRow);
  if (json) writeJson({ ...response.object, input: input.map(describeItem) });
  else writeStdout(align([...detailRows(response), ...items]));
}

const exportNotes = `
Example:
  corral responses export resp_123 > conversation.json

The conversation up to this response: its items in their order, from the first input to this output. A conversation of up
to 20 items can be created from the file: POST /v1/conversations accepts it as it is.`;

export function exportCommand(): Command {
  return new Command('export')
    .description('write the conversation up to a response as JSON')
    .argument('<id>', 'id of the response')
    .addHelpText('after', exportNotes)
    .action((id: string) => {
      const { store } = openLocalStore({ readsContents: true });
      using _ = store;
      const response = findResponse(store, id);
      // The items that a response would see if it continued this one.
      const items = [...store.responses.historyBackwards(response.owner, { previousId: id })].reverse();
      writeJson({
        response: withFields(response.object, { output: undefined }),
        items: items.map(describeItem),
      });
    });
}

function findResponse(store: Store, id: string): StoredResponse {
  const owner = store.responses.ownerOf(id);
  const response = owner === undefined ? undefined : store.responses.get(owner, id);
  if (response === undefined)
    throw new Error(`there is no stored response ${id}; "corral responses list" lists them`);
  return response;
}

function outputOf({ object }: StoredResponse): StoredItem[] {
  return (object.output as readonly JsonObject[]).map((item) => ({ id: String(item.id), item }));
}

function detailRows(response: StoredResponse): string[][] {
  const { id, owner, status, background, model, createdAt, completedAt, previousId, conversationId } =
    response;
  const rows: [name: string, value: string | undefined][] = [
    ['id', id],
    ['key', owner || '(no key)'],
    ['status', status + (background ? ', background' : '')],
    ['model', printable(model)],
    ['created', formatTime(createdAt * 1000, '-')],
    ['ended', completedAt === null ? undefined : formatTime(completedAt * 1000, '-')],
    ['continues', previousId ?? undefined],
    ['conversation', conversationId ?? undefined],
  ];
  return rows.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
}

/** What somebody said, or the item as JSON; in one line, as it may contain anything. */
function itemRow(item: JsonObject): string[] {
  const { type, role, content } = item;
  if (type !== 'message' || !Array.isArray(content)) return [String(type), printable(JSON.stringify(item))];
  const parts = content as readonly JsonObject[];
  const texts = parts.map((part) => (typeof part.text === 'string' ? part.text : `[${part.type}]`));
  return [String(role), printable(texts.join(' '))];
}
