import type { Database, Row } from './database.ts';
import type { Items } from './items.ts';
import type { StoredItem } from './response.ts';

export interface PageQuery {
  /** The id of the one before the first. */
  readonly after?: string | undefined;
  readonly limit: number;
  readonly order: 'asc' | 'desc';
}

/** It may have fewer items than asked for, so that their size is limited. */
export interface ItemPage {
  readonly items: readonly StoredItem[];
  readonly hasMore: boolean;
}

/** An item of a list, without its content. */
export interface ListEntry {
  /** The row number of the item. */
  readonly n: number;
  readonly id: string;
  readonly place: number;
  readonly bytes: number;
}

/** How many items are read at once. */
const READ_AHEAD = 64;
/** Larger ones are read one by one, in bytes: an item may be as large as the body of a request. */
const LARGE = 16 * 1024;

/** The most bytes of the items of a page; a single item may be larger. */
const MOST_BYTES_PER_PAGE = 8 * 1024 ** 2;

/** For how many items that are gone the places are kept. */
const MOST_GONE = 20_000;

/** A table that has items at places, and the rows of it that form one list. */
export interface ItemRows {
  readonly table: 'response_items' | 'conversation_items';
  /** A condition of SQL. */
  readonly where: string;
  readonly of: number;
}

const rowsOf = (response: number, condition: string): ItemRows => ({
  table: 'response_items',
  where: `response = ? AND ${condition}`,
  of: response,
});

export const ownItems = (response: number) => rowsOf(response, 'output < 2');
export const inputOf = (response: number) => rowsOf(response, 'output = 0');
export const outputOf = (response: number) => rowsOf(response, 'output = 1');
/** Parts of its object. */
export const partsOf = (response: number) => rowsOf(response, 'output = 2');

export const itemsOf = (conversation: number): ItemRows => ({
  table: 'conversation_items',
  where: 'conversation = ?',
  of: conversation,
});

/** Reads lists of items. */
export class ItemLists {
  readonly #db: Database;
  readonly #items: Items;

  constructor(db: Database, items: Items) {
    this.#db = db;
    this.#items = items;
  }

  all(rows: ItemRows): StoredItem[] {
    return this.#read(rows, 'true', [], 'ASC', -1).map((row) => this.#items.decode(row));
  }

  /** The newest one with this id. */
  find(rows: ItemRows, id: string): StoredItem | undefined {
    const [row] = this.#read(rows, 'i.id = ?', [id], 'DESC', 1);
    return row && this.#items.decode(row);
  }

  page(rows: ItemRows, { after, limit, order }: PageQuery): ItemPage | 'unknown-after' {
    const start = after === undefined ? undefined : this.#placeOf(rows, after, order);
    if (after !== undefined && start === undefined) return 'unknown-after';
    const [behind, places] =
      start === undefined ? ['true', []] : [`place ${order === 'asc' ? '>' : '<'} ?`, [start]];
    return this.#pageOf(this.#entries(rows, behind, places, order, limit + 1), limit);
  }

  /** The same of entries that come newest first. */
  pageOfEntries(
    backwards: Generator<ListEntry>,
    { after, limit, order }: PageQuery,
  ): ItemPage | 'unknown-after' {
    const needsAll = order === 'asc' || after !== undefined;
    const listed = [...(needsAll ? backwards : backwards.take(limit + 1))];
    if (order === 'asc') listed.reverse();
    const start = after === undefined ? 0 : listed.findLastIndex(({ id }) => id === after) + 1;
    if (after !== undefined && start === 0) return 'unknown-after';
    return this.#pageOf(listed.slice(start, start + limit + 1), limit);
  }

  /** The items before a place, newest first. They are read as they are needed. */
  *backwards({ table, where, of }: ItemRows, before: number): Generator<StoredItem> {
    for (let end = before; ; ) {
      const found = this.#db.all(
        `SELECT l.place, i.n, i.owner, i.id, CASE WHEN length(i.content) <= ${LARGE} THEN i.content END AS content
         FROM ${table} l JOIN items i ON i.n = l.item WHERE ${where} AND place < ? ORDER BY place DESC LIMIT ${READ_AHEAD}`,
        ...[of, end],
      );
      for (const row of found) {
        if (row.content === null) yield* this.#items.get(Number(row.n));
        else yield this.#items.decode(row);
      }
      if (found.length < READ_AHEAD) return;
      end = Number(found.at(-1)?.place);
    }
  }

  /** The same without their contents. */
  *entriesBackwards(rows: ItemRows, before: number): Generator<ListEntry> {
    for (let end = before; ; ) {
      const found = this.#entries(rows, 'place < ?', [end], 'DESC', READ_AHEAD);
      yield* found;
      if (found.length < READ_AHEAD) return;
      end = found.at(-1)?.place ?? 0;
    }
  }

  /** Within a transaction: keeps the places of an item that was removed from a conversation, for lists that go on behind it. */
  noteGone(conversationId: string, id: string, rows: readonly Row[]): void {
    for (const { place = null } of rows) {
      const sql = 'INSERT INTO gone_items (conversation, id, place) VALUES (?, ?, ?)';
      this.#db.run(sql, conversationId, id, place);
    }
    this.#db.run('DELETE FROM gone_items WHERE nth <= (SELECT max(nth) FROM gone_items) - ?', MOST_GONE);
  }

  /** If an item is in the list several times, the last of its places in this order, so that paging comes to an end. */
  #placeOf({ table, where, of }: ItemRows, id: string, order: 'asc' | 'desc'): number | undefined {
    const last = `ORDER BY place ${order === 'asc' ? 'DESC' : 'ASC'} LIMIT 1`;
    const found = this.#db.get(
      `SELECT place FROM ${table} l JOIN items i ON i.n = l.item WHERE ${where} AND i.id = ? ${last}`,
      ...[of, id],
    );
    const row =
      found ??
      (table === 'conversation_items'
        ? this.#db.get(
            `SELECT place FROM gone_items g JOIN conversations c ON c.id = g.conversation
             WHERE c.n = ? AND g.id = ? ${last}`,
            ...[of, id],
          )
        : undefined);
    return row && Number(row.place);
  }

  #pageOf(entries: readonly ListEntry[], limit: number): ItemPage {
    let bytes = 0;
    const isTooMuch = (entry: ListEntry) => {
      bytes += entry.bytes;
      return bytes > MOST_BYTES_PER_PAGE;
    };
    const end = entries.findIndex((entry, index) => isTooMuch(entry) && index > 0);
    const taken = entries.slice(0, Math.min(end === -1 ? limit : end, limit));
    return { items: taken.flatMap(({ n }) => this.#items.get(n)), hasMore: entries.length > taken.length };
  }

  #entries(
    { table, where, of }: ItemRows,
    condition: string,
    values: readonly (string | number)[],
    order: string,
    limit: number,
  ): ListEntry[] {
    const rows = this.#db.all(
      `SELECT l.place, i.n, i.id, length(i.content) AS bytes FROM ${table} l JOIN items i ON i.n = l.item
       WHERE ${where} AND ${condition} ORDER BY place ${order} LIMIT ?`,
      ...[of, ...values, limit],
    );
    return rows.map(({ n, id, place, bytes }) => ({
      ...{ n: Number(n), id: String(id) },
      ...{ place: Number(place), bytes: Number(bytes) },
    }));
  }

  #read(
    { table, where, of }: ItemRows,
    condition: string,
    values: readonly (string | number)[],
    order: string,
    limit: number,
  ): Row[] {
    return this.#db.all(
      `SELECT l.place, i.* FROM ${table} l JOIN items i ON i.n = l.item WHERE ${where} AND ${condition}
       ORDER BY place ${order} LIMIT ?`,
      ...[of, ...values, limit],
    );
  }
}
