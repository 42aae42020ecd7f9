import type { JsonObject } from '../../json/json-object.ts';
import { newId } from '../../store/ids.ts';
import type {
  BackgroundResponse,
  Continued,
  InputItem,
  StoredItem,
  StoredResponse,
} from '../../store/response.ts';
import type { Store } from '../../store/store.ts';

export const userMessage = (text: string): JsonObject => ({
  role: 'user',
  content: [{ type: 'input_text', text }],
});

export const assistantMessage = (text: string): JsonObject => ({
  type: 'message',
  id: newId('msg_'),
  status: 'completed',
  role: 'assistant',
  content: [{ type: 'output_text', text, annotations: [] }],
});

/** A part of the usage of a store, and of what was removed. */
export const noResponses = { responses: 0, conversations: 0 };

interface Turn extends Continued {
  readonly owner?: string;
  readonly createdAt?: number;
  readonly input?: readonly InputItem[];
  readonly object?: JsonObject;
}

/** Stores a response to `text` that answers with the same text in capitals. Returns its id. */
export function saveTurn({ responses }: Store, text: string, { owner = 'app', ...rest }: Turn = {}): string {
  const id = newId('resp_');
  const output = [assistantMessage(text.toUpperCase())];
  const object = { id, object: 'response', status: 'completed', output, usage: { input_tokens: 3 } };
  responses.save({
    ...{ owner, id, status: 'completed', model: 'demo', createdAt: now(), object, stream: false },
    ...{ input: [{ item: userMessage(text) }], ...rest },
  });
  return id;
}

/** Creates a background response of the key `app`, if nothing else is said. */
export function createInBackground(
  { responses }: Store,
  text: string,
  changes: Partial<BackgroundResponse> = {},
): StoredResponse {
  const id = newId('resp_');
  const created = responses.create({
    ...{ owner: 'app', id, model: 'demo', createdAt: now(), stream: true },
    object: { id, object: 'response', status: 'queued', background: true, output: [], error: null },
    request: { model: 'demo', temperature: 0.5 },
    input: [{ item: userMessage(text) }],
    ...changes,
  });
  if (typeof created === 'string') throw new Error(created);
  return created.response;
}

/** The texts of items that come newest first, oldest first. */
export const textsOf = (items: Iterable<StoredItem>): string[] =>
  [...items].reverse().map(({ item }) => (item.content as { text: string }[])[0]?.text ?? '');

const now = () => Math.floor(Date.now() / 1000);
