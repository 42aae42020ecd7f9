import type { JsonObject } from '../json/json-object.ts';
import type { Conversations } from './conversations.ts';
import type { Database, Row } from './database.ts';
import { now } from './ids.ts';
import { outputOf, partsOf } from './item-list.ts';
import {
  type EndedResponse,
  hasEnded,
  type ResponseStatus,
  type StoredResponse,
  toSummary,
} from './response.ts';
import { joinObject, type SplitObject, splitObject } from './response-object.ts';
import type { ResponseParts } from './response-parts.ts';

interface State {
  readonly status: ResponseStatus;
  readonly background: boolean;
}

/** What `response_items` has of a response: the values of its column `output`. */
const [INPUT, OUTPUT, PART] = [0, 1, 2];

/** The rows of responses with their items. All but `decode` is called within a transaction. */
export class ResponseRecords {
  readonly #parts: ResponseParts;
  readonly #db: Database;
  readonly #conversations: Conversations;

  constructor(parts: ResponseParts, conversations: Conversations) {
    this.#parts = parts;
    this.#db = parts.db;
    this.#conversations = conversations;
  }

  /** Throws HistoryDeleted. */
  insert(response: Omit<EndedResponse, 'status'>, { status, background }: State): Row {
    const { items, history } = this.#parts;
    const { owner, id, model, createdAt, stream, input } = response;
    const { previous, conversation, place } = history.find(owner, response);
    const split = splitObject(response.object);
    const ended = hasEnded(status);
    const row = this.#db.get(
      `INSERT INTO responses (id, owner, previous, conversation, place, status, ended, background, stream, model,
         created_at, ended_at, has_events, object) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING *`,
      ...[
        id,
        owner,
        previous,
        conversation,
        place,
        status,
        Number(ended),
        Number(background),
        Number(stream),
      ],
      ...[model, createdAt, ended ? now() : null, Number(background), this.#encode({ owner, id }, split)],
    ) as Row;
    const continues = previous !== null || conversation !== null;
    this.#link(row, INPUT, continues ? items.add(owner, input) : items.addShared(owner, input));
    this.#addContent(row, response.object, split);
    return row;
  }

  /** The end of a response that had not ended: its object with its output. */
  end(row: Row, status: ResponseStatus, object?: JsonObject): void {
    const { n = null, id, owner } = row;
    this.#db.run(
      'UPDATE responses SET status = ?, ended = 1, ended_at = ?, request = NULL WHERE n = ?',
      ...[status, now(), n],
    );
    if (object === undefined) return;
    const split = splitObject(object);
    const before = this.#db.all(
      'DELETE FROM response_items WHERE response = ? AND output > 0 RETURNING item',
      n,
    );
    this.#addContent(row, object, split);
    this.#parts.items.removeUnused(before);
    const encoded = this.#encode({ owner: String(owner), id: String(id) }, split);
    const model = typeof object.model === 'string' ? object.model : String(row.model);
    this.#db.run('UPDATE responses SET object = ?, model = ? WHERE n = ?', encoded, model, n);
  }

  /** Appends its input and output to its conversation, if it has one. */
  append({ n = null, conversation = null }: Row): void {
    if (conversation === null) return;
    const items = this.#db.all(
      'SELECT item FROM response_items WHERE response = ? AND output < ? ORDER BY place',
      n,
      PART,
    );
    this.#conversations.append(
      Number(conversation),
      items.map(({ item }) => Number(item)),
    );
  }

  decode(row: Row): StoredResponse {
    const { lists, codec } = this.#parts;
    const summary = toSummary(row);
    const { owner, id, status } = summary;
    const object = codec.decode<JsonObject>({ owner, name: id }, row.object);
    const parts = lists
      .all(partsOf(Number(row.n)))
      .map(({ item }) => ({ name: String(item.name), value: item.value }));
    const output = lists.all(outputOf(Number(row.n))).map(({ item }) => item);
    const whole = joinObject({ object, parts }, output);
    return { ...summary, object: { ...whole, status }, usage: whole.usage ?? null };
  }

  #addContent(row: Row, { output }: JsonObject, { parts }: SplitObject): void {
    const { items } = this.#parts;
    const owner = String(row.owner);
    const outputItems = Array.isArray(output) ? output.map((item: JsonObject) => ({ item })) : [];
    this.#link(row, OUTPUT, items.add(owner, outputItems));
    const named = parts.map(({ name, value }) => ({ item: { id: `part ${name}`, name, value } }));
    this.#link(row, PART, items.add(owner, named));
  }

  #link({ n = null }: Row, output: number, items: readonly number[]): void {
    if (items.length === 0) return;
    const next = this.#db.get(
      'SELECT coalesce(max(place) + 1, 0) AS place FROM response_items WHERE response = ?',
      n,
    );
    const first = Number(next?.place);
    for (const [index, item] of items.entries()) {
      this.#db.run('INSERT INTO response_items VALUES (?, ?, ?, ?)', n, first + index, item, output);
    }
  }

  #encode({ owner, id }: { readonly owner: string; readonly id: string }, { object }: SplitObject): Buffer {
    return this.#parts.codec.encode({ owner, name: id }, object);
  }
}
