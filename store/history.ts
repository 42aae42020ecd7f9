import type { Database, Row } from './database.ts';
import { HistoryDeleted } from './errors.ts';
import { type ItemLists, type ItemRows, inputOf, itemsOf, type ListEntry, ownItems } from './item-list.ts';
import type { Continued, StoredItem } from './response.ts';

/** What a response continues, by row numbers. */
export interface Links {
  readonly previous: number | null;
  readonly conversation: number | null;
  /** The place of the next item of the conversation. */
  readonly place: number | null;
}

/** The items before a response: walks from response to response, and reads each only when it is needed. */
export class History {
  readonly #db: Database;
  readonly #lists: ItemLists;

  constructor(db: Database, lists: ItemLists) {
    this.#db = db;
    this.#lists = lists;
  }

  /**
   * Also finds what its owner has deleted as long as other responses continue it, but not what is being removed. Throws
   * HistoryDeleted.
   */
  find(owner: string, { previousId, conversationId }: Continued): Links {
    const links = { previous: null, conversation: null, place: null };
    if (typeof previousId === 'string') {
      const row = this.#db.get(
        'SELECT n FROM responses WHERE id = ? AND owner = ? AND deleted < 2',
        previousId,
        owner,
      );
      if (row === undefined) throw new HistoryDeleted(previousId);
      return { ...links, previous: Number(row.n) };
    }
    if (typeof conversationId !== 'string') return links;
    const row = this.#db.get(
      'SELECT n, next_place FROM conversations WHERE id = ? AND owner = ? AND deleted < 2',
      ...[conversationId, owner],
    );
    if (row === undefined) throw new HistoryDeleted(conversationId);
    return { ...links, conversation: Number(row.n), place: Number(row.next_place) };
  }

  /** The input of a response, and what came before it, without contents. Newest first. */
  *inputBackwards(response: number, links: Links): Generator<ListEntry> {
    yield* this.#lists.entriesBackwards(inputOf(response), Number.MAX_SAFE_INTEGER);
    for (const { rows, end } of this.#listsBackwards(links)) yield* this.#lists.entriesBackwards(rows, end);
  }

  /** Newest first. */
  *backwards(links: Links): Generator<StoredItem> {
    for (const { rows, end } of this.#listsBackwards(links)) yield* this.#lists.backwards(rows, end);
  }

  /** The lists that make up a history, and the place behind the last item of each. */
  *#listsBackwards({ previous, conversation, place }: Links): Generator<{ rows: ItemRows; end: number }> {
    if (conversation !== null) yield { rows: itemsOf(conversation), end: place ?? 0 };
    for (let n = previous; n !== null; ) {
      const row = this.#db.get('SELECT previous, conversation, place FROM responses WHERE n = ?', n);
      if (row === undefined) return;
      yield { rows: ownItems(n), end: Number.MAX_SAFE_INTEGER };
      const before = toLinks(row);
      if (before.conversation !== null) yield { rows: itemsOf(before.conversation), end: before.place ?? 0 };
      n = before.previous;
    }
  }
}

export const toLinks = ({ previous, conversation, place }: Row): Links => ({
  previous: previous as number | null,
  conversation: conversation as number | null,
  place: place as number | null,
});
