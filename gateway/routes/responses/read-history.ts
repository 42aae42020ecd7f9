import type { JsonObject } from '../../../json/json-object.ts';
import type { StoredItem } from '../../../store/response.ts';
import type { Store } from '../../../store/store.ts';
import {
  conversationNotFound,
  historyTooLong,
  previousResponseNotComplete,
  previousResponseNotFound,
} from '../../errors/responses-catalogue.ts';
import type { StateFields } from './state-fields.ts';

/** What a request continues. */
export interface History {
  /** Oldest first. */
  readonly items: readonly JsonObject[];
  /** The tools of the previous response: they hold for the next one, too, unless that names others. */
  readonly tools: readonly unknown[] | undefined;
}

export interface HistoryLimit {
  /** The most bytes of all items together. */
  readonly maxBytes: number;
  /** Whether the oldest items may be left out. */
  readonly mayTruncate: boolean;
}

/** Reads from the newest item backwards, and no more than may be used. Throws an ApiError. */
export function readHistory(
  { responses, conversations }: Store,
  owner: string,
  { previousId, conversationId }: Pick<StateFields, 'previousId' | 'conversationId'>,
  limit: HistoryLimit,
): History {
  let tools: History['tools'];
  if (previousId !== undefined) {
    const previous = responses.get(owner, previousId);
    if (previous === undefined) throw previousResponseNotFound(previousId);
    const { status, object } = previous;
    if (status !== 'completed' && status !== 'incomplete')
      throw previousResponseNotComplete(previousId, status);
    tools = readTools(object);
  } else if (conversationId !== undefined && conversations.get(owner, conversationId) === undefined) {
    throw conversationNotFound(conversationId);
  }
  return {
    items: collectItems(responses.historyBackwards(owner, { previousId, conversationId }), limit),
    tools,
  };
}

/** From the newest item backwards, as many as the limit allows; returns them oldest first. Throws an ApiError. */
export function collectItems(
  backwards: Iterable<StoredItem>,
  { maxBytes, mayTruncate }: HistoryLimit,
): JsonObject[] {
  const items: JsonObject[] = [];
  let length = 0;
  for (const { item } of backwards) {
    length += JSON.stringify(item).length;
    if (length > maxBytes && mayTruncate) break;
    if (length > maxBytes) throw historyTooLong(maxBytes);
    items.push(item);
  }
  return items.reverse();
}

const readTools = ({ tools }: JsonObject) => (Array.isArray(tools) && tools.length > 0 ? tools : undefined);
