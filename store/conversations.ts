import type { Database, Row } from './database.ts';
import { newId, now } from './ids.ts';
import { type ItemPage, itemsOf, type PageQuery } from './item-list.ts';
import type { InputItem, StoredItem } from './response.ts';
import type { ResponseParts } from './response-parts.ts';

/** What a client notes about an object of its own. */
export type Metadata = Readonly<Record<string, string>>;

/** Times are seconds since 1970. */
export interface Conversation {
  readonly id: string;
  /** The id of the key; empty where no key is required. */
  readonly owner: string;
  readonly createdAt: number;
  readonly metadata: Metadata;
}

/** What is known of a conversation without reading its content. */
export interface ConversationSummary {
  readonly id: string;
  readonly owner: string;
  readonly createdAt: number;
  /** When something was last added to it. */
  readonly usedAt: number;
  readonly items: number;
}

export interface ConversationPage {
  readonly conversations: readonly ConversationSummary[];
  readonly hasMore: boolean;
}

/** The conversations of all owners. */
export class Conversations {
  readonly #db: Database;
  readonly #parts: ResponseParts;

  constructor(parts: ResponseParts) {
    this.#db = parts.db;
    this.#parts = parts;
  }

  /** Throws HistoryDeleted, StoreLimitExceeded or StoreUnavailable. */
  create(owner: string, items: readonly InputItem[], metadata: Metadata): Conversation {
    return this.#db.transaction(() => {
      const [id, at] = [newId('conv_'), now()];
      const row = this.#db.get(
        'INSERT INTO conversations (id, owner, created_at, used_at, metadata) VALUES (?, ?, ?, ?, ?) RETURNING n',
        ...[id, owner, at, at, this.#parts.codec.encode({ owner, name: id }, metadata)],
      );
      this.append(Number(row?.n), this.#parts.items.add(owner, items));
      this.#parts.quota.check(owner);
      return { id, owner, createdAt: at, metadata };
    });
  }

  get(owner: string, id: string): Conversation | undefined {
    const row = this.#find(owner, id);
    return row && this.#decode(row);
  }

  /** Undefined if there is no such conversation. */
  ownerOf(id: string): string | undefined {
    const row = this.#db.get('SELECT owner FROM conversations WHERE id = ? AND deleted = 0', id);
    return row && String(row.owner);
  }

  /** The conversations of one owner, or of all. */
  list(owner: string | undefined, { after, limit, order }: PageQuery): ConversationPage | 'unknown-after' {
    const whose = owner ?? null;
    const start = this.#db.get(
      'SELECT n FROM conversations WHERE id = ? AND (? IS NULL OR owner = ?)',
      ...[after ?? null, whose, whose],
    );
    if (after !== undefined && start === undefined) return 'unknown-after';
    const [behind, numbers] =
      start === undefined ? ['true', []] : [`n ${order === 'asc' ? '>' : '<'} ?`, [start.n ?? null]];
    const rows = this.#db.all(
      `SELECT *, (SELECT count(*) FROM conversation_items WHERE conversation = n) AS items FROM conversations
       WHERE deleted = 0 AND (? IS NULL OR owner = ?) AND ${behind} ORDER BY n ${order} LIMIT ?`,
      ...[whose, whose, ...numbers, limit + 1],
    );
    return { conversations: rows.slice(0, limit).map(toConversationSummary), hasMore: rows.length > limit };
  }

  /** Replaces the metadata. */
  update(owner: string, id: string, metadata: Metadata): Conversation | undefined {
    return this.#db.transaction(() => {
      if (this.#find(owner, id) === undefined) return undefined;
      this.#db.run(
        'UPDATE conversations SET metadata = ?, used_at = ? WHERE id = ? AND owner = ? AND deleted = 0',
        ...[this.#parts.codec.encode({ owner, name: id }, metadata), now(), id, owner],
      );
      this.#parts.quota.check(owner);
      return this.get(owner, id);
    });
  }

  /** Whether there was such a conversation. Its responses stay, and keep their history. */
  delete(owner: string, id: string): boolean {
    return this.#parts.removal.deleteConversation(owner, id);
  }

  /** Undefined if there is no such conversation. Throws as `create` does. */
  addItems(owner: string, id: string, items: readonly InputItem[]): StoredItem[] | undefined {
    return this.#db.transaction(() => {
      const row = this.#find(owner, id);
      if (row === undefined) return undefined;
      const added = this.#parts.items.add(owner, items);
      this.append(Number(row.n), added);
      this.#parts.quota.check(owner);
      return added.flatMap((n) => this.#parts.items.get(n));
    });
  }

  items(owner: string, id: string, query: PageQuery): ItemPage | 'unknown-after' | undefined {
    const row = this.#find(owner, id);
    return row && this.#parts.lists.page(itemsOf(Number(row.n)), query);
  }

  getItem(owner: string, id: string, itemId: string): StoredItem | undefined {
    const row = this.#find(owner, id);
    return row && this.#parts.lists.find(itemsOf(Number(row.n)), itemId);
  }

  /**
   * The conversation; undefined if there is no such item in it. Responses that have the item keep it. A list can go on behind
   * where it was.
   */
  deleteItem(owner: string, id: string, itemId: string): Conversation | undefined {
    return this.#db.durableTransaction(() => {
      const row = this.#find(owner, id);
      const removed = this.#db.all(
        `DELETE FROM conversation_items WHERE conversation = ?
           AND item IN (SELECT n FROM items WHERE owner = ? AND id = ?) RETURNING item, place`,
        ...[row?.n ?? null, owner, itemId],
      );
      if (row === undefined || removed.length === 0) return undefined;
      this.#parts.lists.noteGone(id, itemId, removed);
      this.#parts.items.removeUnused(removed);
      return this.#decode(row);
    });
  }

  /** Within a transaction: adds items, by their row numbers, unless it was deleted meanwhile. */
  append(conversation: number, items: readonly number[]): void {
    const row = this.#db.get(
      `UPDATE conversations SET next_place = next_place + ?, used_at = ? WHERE n = ? AND deleted = 0
       RETURNING next_place - ? AS place`,
      ...[items.length, now(), conversation, items.length],
    );
    if (row === undefined) return;
    for (const [index, item] of items.entries()) {
      this.#db.run(
        'INSERT INTO conversation_items VALUES (?, ?, ?)',
        conversation,
        Number(row.place) + index,
        item,
      );
    }
  }

  #find(owner: string, id: string): Row | undefined {
    return this.#db.get('SELECT * FROM conversations WHERE id = ? AND owner = ? AND deleted = 0', id, owner);
  }

  #decode(row: Row): Conversation {
    const [id, owner] = [String(row.id), String(row.owner)];
    const metadata = this.#parts.codec.decode<Metadata>({ owner, name: id }, row.metadata);
    return { id, owner, createdAt: Number(row.created_at), metadata };
  }
}

function toConversationSummary(row: Row): ConversationSummary {
  return {
    id: String(row.id),
    owner: String(row.owner),
    createdAt: Number(row.created_at),
    usedAt: Number(row.used_at),
    items: Number(row.items),
  };
}
