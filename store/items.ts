import type { JsonObject } from '../json/json-object.ts';
import type { Database, Row } from './database.ts';
import { HistoryDeleted } from './errors.ts';
import { newItemId } from './ids.ts';
import type { JsonCodec } from './json-codec.ts';
import type { InputItem, StoredItem } from './response.ts';

/** Longer ids of clients are replaced. */
const LONGEST_ID = 256;

/** Whether somebody can still see an item: it is part of a response or a conversation that is not deleted. */
const isVisible = `(EXISTS (SELECT 1 FROM response_items l JOIN responses r ON r.n = l.response
    WHERE l.item = items.n AND l.output < 2 AND r.deleted = 0)
  OR EXISTS (SELECT 1 FROM conversation_items l JOIN conversations c ON c.n = l.conversation
    WHERE l.item = items.n AND c.deleted = 0))`;

const isUnused = `NOT EXISTS (SELECT 1 FROM response_items WHERE item = items.n)
  AND NOT EXISTS (SELECT 1 FROM conversation_items WHERE item = items.n)`;

/** A list that shares its items with others, so far. */
interface SharedList {
  readonly rows: Set<number>;
  /** The last row of each digest: only those behind it are looked at, however often an item is repeated. */
  readonly last: Map<string, number>;
}

/** The items of all responses and conversations, each of them stored once. */
export class Items {
  readonly #db: Database;
  readonly #codec: JsonCodec;

  constructor(db: Database, codec: JsonCodec) {
    this.#db = db;
    this.#codec = codec;
  }

  /** The newest one with this id, wherever its owner can see it. */
  find(owner: string, id: string): StoredItem | undefined {
    const row = this.#db.get(
      `SELECT * FROM items WHERE owner = ? AND id = ? AND ${isVisible} ORDER BY n DESC LIMIT 1`,
      ...[owner, id],
    );
    return row && this.decode(row);
  }

  /** By its row number; nothing if it was removed a moment ago. */
  get(n: number): StoredItem[] {
    return this.#db.all('SELECT * FROM items WHERE n = ?', n).map((row) => this.decode(row));
  }

  /**
   * Within a transaction. Returns the row numbers; something has to refer to them. An item without an id gets one. Throws
   * HistoryDeleted.
   */
  add(owner: string, items: readonly InputItem[]): number[] {
    return items.map((item) => this.#add(owner, item));
  }

  /**
   * As `add`, for a response that continues nothing. Clients that keep the state themselves send a whole conversation with each
   * turn: what an earlier one has stored is not stored again, and has the same id.
   */
  addShared(owner: string, items: readonly InputItem[]): number[] {
    const shared: SharedList = { rows: new Set(), last: new Map() };
    return items.map((item) => {
      const n = this.#add(owner, item, shared);
      shared.rows.add(n);
      return n;
    });
  }

  /** Within a transaction: removes those of which nothing is left that refers to them. */
  removeUnused(rows: readonly Row[]): void {
    for (const { item } of rows) this.#db.run(`DELETE FROM items WHERE n = ? AND ${isUnused}`, item ?? null);
  }

  /** A row of the table `items`. */
  decode(row: Row): StoredItem {
    const id = String(row.id);
    return { id, item: this.#codec.decode(placeOf(String(row.owner), id), row.content) };
  }

  #rowOf(owner: string, id: string): number {
    const row = this.#db.get(
      `SELECT n FROM items WHERE owner = ? AND id = ? ORDER BY ${isVisible} DESC, n DESC LIMIT 1`,
      ...[owner, id],
    );
    if (row === undefined) throw new HistoryDeleted(id);
    return Number(row.n);
  }

  /** Without an id, only what is not in the list `shared` already is taken for the same item. */
  #add(owner: string, input: InputItem, shared?: SharedList): number {
    if ('stored' in input) return this.#rowOf(owner, input.stored);
    const { item } = input;
    const isNamed = typeof item.id === 'string' && item.id !== '' && item.id.length <= LONGEST_ID;
    const digest = this.#codec.digest(owner, JSON.stringify(item));
    if (isNamed) return this.#findSame(owner, digest) ?? this.#insert(owner, String(item.id), item, digest);
    const id = newItemId(item.type);
    const insert = () => this.#insert(owner, id, { ...item, id }, digest);
    if (shared === undefined) return insert();
    const n = this.#findUnlisted(owner, digest, shared) ?? insert();
    shared.last.set(digest.toString('latin1'), n);
    return n;
  }

  #findUnlisted(owner: string, digest: Buffer, { rows, last }: SharedList): number | undefined {
    let n = this.#findSame(owner, digest, last.get(digest.toString('latin1')));
    while (n !== undefined && rows.has(n)) n = this.#findSame(owner, digest, n);
    return n;
  }

  #findSame(owner: string, digest: Buffer, after = 0): number | undefined {
    const row = this.#db.get(
      'SELECT n FROM items WHERE owner = ? AND digest = ? AND n > ? ORDER BY n LIMIT 1',
      ...[owner, digest, after],
    );
    return row && Number(row.n);
  }

  #insert(owner: string, id: string, item: JsonObject, digest: Buffer): number {
    const row = this.#db.get(
      'INSERT INTO items (owner, id, content, digest) VALUES (?, ?, ?, ?) RETURNING n',
      ...[owner, id, this.#codec.encode(placeOf(owner, id), item), digest],
    );
    return Number(row?.n);
  }
}

const placeOf = (owner: string, id: string) => ({ owner, name: `item ${id}` });
