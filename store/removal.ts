import type { SQLInputValue } from 'node:sqlite';
import type { Database, Row } from './database.ts';
import type { Items } from './items.ts';
import type { Reserve } from './reserve.ts';
import { inSlices, SLICE } from './slices.ts';

const isContinued = 'EXISTS (SELECT 1 FROM responses next WHERE next.previous = responses.n)';
const isHistory = 'EXISTS (SELECT 1 FROM responses r WHERE r.conversation = conversations.n)';

/**
 * Deletes responses and conversations. They are gone for their owners at once, but what is part of the history of other
 * responses stays until the last of these is gone.
 */
export class Removal {
  readonly #db: Database;
  readonly #items: Items;
  readonly #reserve: Reserve;

  constructor(db: Database, items: Items, reserve: Reserve) {
    this.#db = db;
    this.#items = items;
    this.#reserve = reserve;
  }

  /** Whether there was such a response. It is durable. */
  deleteResponse(owner: string, id: string): boolean {
    return this.#delete(() => this.#markResponses('owner = ? AND id = ?', [owner, id]));
  }

  /** Whether there was such a conversation. It is durable. */
  deleteConversation(owner: string, id: string): boolean {
    return this.#delete(() => this.#markConversations('owner = ? AND id = ?', [owner, id]));
  }

  /** Deletes all of which a condition of SQL is true. Returns how many. */
  deleteResponses(condition: string, values: readonly SQLInputValue[]): Promise<number> {
    return this.#deleteAll(() => this.#markResponses(condition, values));
  }

  /** As `deleteResponses`. */
  deleteConversations(condition: string, values: readonly SQLInputValue[]): Promise<number> {
    return this.#deleteAll(() => this.#markConversations(condition, values));
  }

  /** What is left for later is removed by the next sweep. */
  #delete(mark: () => number): boolean {
    const remove = () => {
      const isGone = mark() > 0;
      if (isGone) this.#removeSlice();
      return isGone;
    };
    return this.#reserve.deleting(() => this.#db.durableTransaction(remove));
  }

  async #deleteAll(mark: () => number): Promise<number> {
    let sum = 0;
    const inTransaction = (slice: () => boolean) => () => this.#db.transaction(slice);
    await inSlices(
      inTransaction(() => {
        const marked = mark();
        sum += marked;
        return marked > 0;
      }),
    );
    await inSlices(inTransaction(() => this.#removeSlice()));
    return sum;
  }

  #markResponses(condition: string, values: readonly SQLInputValue[]): number {
    const marked = this.#db.all(
      `UPDATE responses SET deleted = CASE WHEN ${isContinued} THEN 1 ELSE 2 END, ended = 1, object = NULL, request = NULL,
         idempotency_key = NULL
       WHERE n IN (SELECT n FROM responses WHERE deleted = 0 AND (${condition}) LIMIT ${SLICE}) RETURNING n`,
      ...values,
    );
    for (const { n = null } of marked) {
      const parts = 'DELETE FROM response_items WHERE response = ? AND output = 2 RETURNING item';
      this.#items.removeUnused(this.#db.all(parts, n));
    }
    return marked.length;
  }

  #markConversations(condition: string, values: readonly SQLInputValue[]): number {
    return this.#db.run(
      `UPDATE conversations SET deleted = CASE WHEN ${isHistory} THEN 1 ELSE 2 END, metadata = NULL
       WHERE n IN (SELECT n FROM conversations WHERE deleted = 0 AND (${condition}) LIMIT ${SLICE})`,
      ...values,
    );
  }

  /** Within a transaction: removes rows that nothing needs any more. Whether there may be more. */
  #removeSlice(): boolean {
    for (let removed = 0; removed < SLICE; ) {
      const response = this.#db.get(
        'SELECT n, previous, conversation FROM responses WHERE deleted = 2 ORDER BY n DESC LIMIT 1',
      );
      const conversation = response ?? this.#db.get('SELECT n FROM conversations WHERE deleted = 2 LIMIT 1');
      if (conversation === undefined) return false;
      removed += 1 + (response ? this.#removeResponse(response) : this.#removeConversation(conversation));
    }
    return true;
  }

  #removeResponse({ n = null, previous = null, conversation = null }: Row): number {
    this.#db.run('DELETE FROM response_events WHERE response = ?', n);
    const items = this.#db.all('DELETE FROM response_items WHERE response = ? RETURNING item', n);
    this.#items.removeUnused(items);
    this.#db.run('DELETE FROM responses WHERE n = ?', n);
    this.#db.run(
      `UPDATE responses SET deleted = 2 WHERE n = ? AND deleted = 1 AND NOT ${isContinued}`,
      previous,
    );
    this.#db.run(
      `UPDATE conversations SET deleted = 2 WHERE n = ? AND deleted = 1 AND NOT ${isHistory}`,
      conversation,
    );
    return items.length;
  }

  /** A part of its items, or it if it has none. */
  #removeConversation({ n = null }: Row): number {
    const items = this.#db.all(
      `DELETE FROM conversation_items WHERE conversation = ?1 AND place IN
         (SELECT place FROM conversation_items WHERE conversation = ?1 LIMIT ${SLICE}) RETURNING item`,
      n,
    );
    this.#items.removeUnused(items);
    if (items.length === 0) this.#db.run('DELETE FROM conversations WHERE n = ?', n);
    return items.length;
  }
}
