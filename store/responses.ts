import type { JsonObject } from '../json/json-object.ts';
import type { Conversations } from './conversations.ts';
import type { Database, Row } from './database.ts';
import { toLinks } from './history.ts';
import { type ItemPage, inputOf, type PageQuery } from './item-list.ts';
import {
  type BackgroundResponse,
  type Continued,
  type CreatedResponse,
  type EndedResponse,
  type ResponseEvent,
  type ResponseStatus,
  type ResponseSummary,
  recordOf,
  type StoredItem,
  type StoredResponse,
  summaryOf,
  toSummary,
} from './response.ts';
import type { ResponseEvents } from './response-events.ts';
import type { ResponseParts } from './response-parts.ts';
import { ResponseRecords } from './response-records.ts';

export interface ResponsePage {
  readonly responses: readonly ResponseSummary[];
  readonly hasMore: boolean;
}

/** What a background response was asked, with its own input. */
export interface StoredRequest {
  readonly owner: string;
  readonly request: JsonObject;
  readonly input: readonly StoredItem[];
}

/** The responses of all owners: the first methods are for their owners, the others for the runner. */
export class Responses {
  readonly #parts: ResponseParts;
  readonly #db: Database;
  readonly #conversations: Conversations;
  readonly #records: ResponseRecords;
  readonly #events: ResponseEvents;

  constructor(parts: ResponseParts, conversations: Conversations) {
    this.#parts = parts;
    this.#db = parts.db;
    this.#conversations = conversations;
    this.#records = new ResponseRecords(parts, conversations);
    this.#events = parts.events;
  }

  /**
   * Stores a response that has ended, and appends its items to its conversation. Throws HistoryDeleted,
   * StoreLimitExceeded or StoreUnavailable: then nothing is stored.
   */
  save(response: EndedResponse): void {
    this.#db.transaction(() => {
      const row = this.#records.insert(response, { status: response.status, background: false });
      this.#records.append(row);
      this.#parts.quota.check(response.owner);
    });
  }

  /** Creates a background response, which is then `queued`. It is durable. Throws as `save` does, and stores nothing then. */
  create(response: BackgroundResponse): CreatedResponse {
    return this.#db.durableTransaction(() => {
      const { owner, id, user = null, conversationId, request, events = [] } = response;
      const { idempotencyKey = null, requestDigest = null } = response;
      const known = this.#db.get(
        `${recordOf} WHERE r.owner = ? AND r.idempotency_key = ? AND r.deleted = 0`,
        ...[owner, idempotencyKey],
      );
      if (known !== undefined) {
        return known.request_digest === requestDigest
          ? { response: this.#records.decode(known), created: false }
          : 'idempotency-conflict';
      }
      if (conversationId && this.openInConversation(owner, conversationId) !== undefined)
        return 'conversation-locked';
      const row = this.#records.insert(response, { status: 'queued', background: true });
      const { n = null } = row;
      this.#db.run(
        'UPDATE responses SET request = ?, user = ?, idempotency_key = ?, request_digest = ? WHERE n = ?',
        ...[
          this.#parts.codec.encode({ owner, name: `request of ${id}` }, request),
          user,
          idempotencyKey,
          requestDigest,
          n,
        ],
      );
      this.#events.append(keyOf(row), events);
      this.#parts.quota.check(owner);
      return { response: this.#records.decode(this.#row(n)), created: true };
    });
  }

  get(owner: string, id: string): StoredResponse | undefined {
    const row = this.#find(owner, id);
    return row && this.#records.decode(row);
  }

  /** For those who ask again and again: nothing is decoded. Undefined if there is no such response. */
  statusOf(owner: string, id: string): ResponseStatus | undefined {
    const row = this.#db.get(
      'SELECT status FROM responses WHERE id = ? AND owner = ? AND deleted = 0',
      ...[id, owner],
    );
    return row && (String(row.status) as ResponseStatus);
  }

  /** Undefined if there is no such response. */
  ownerOf(id: string): string | undefined {
    const row = this.#db.get('SELECT owner FROM responses WHERE id = ? AND deleted = 0', id);
    return row && String(row.owner);
  }

  /** The responses of one owner, or of all. */
  list(owner: string | undefined, { after, limit, order }: PageQuery): ResponsePage | 'unknown-after' {
    const start =
      after === undefined
        ? undefined
        : this.#db.get(
            'SELECT n FROM responses WHERE id = ? AND (? IS NULL OR owner = ?)',
            after,
            owner ?? null,
            owner ?? null,
          );
    if (after !== undefined && start === undefined) return 'unknown-after';
    const [whose, owners] = owner === undefined ? ['true', []] : ['r.owner = ?', [owner]];
    const [behind, numbers] =
      start === undefined ? ['true', []] : [`r.n ${order === 'asc' ? '>' : '<'} ?`, [start.n ?? null]];
    const rows = this.#db.all(
      `${summaryOf} WHERE r.deleted = 0 AND ${whose} AND ${behind} ORDER BY r.n ${order} LIMIT ?`,
      ...[...owners, ...numbers, limit + 1],
    );
    return { responses: rows.slice(0, limit).map(toSummary), hasMore: rows.length > limit };
  }

  /** Whether there was such a response. Others that continue it keep their history. A background one is not generated any more. */
  delete(owner: string, id: string): boolean {
    return this.#parts.removal.deleteResponse(owner, id);
  }

  /** The response, `cancelled` if it is a background one that had not ended. It is durable. */
  cancel(owner: string, id: string): StoredResponse | undefined {
    const cancel = () => {
      const row = this.#find(owner, id);
      if (row !== undefined && row.ended === 0) this.#records.end(row, 'cancelled');
    };
    this.#parts.reserve.deleting(() => this.#db.durableTransaction(cancel));
    return this.get(owner, id);
  }

  /** What its request sent itself, oldest first. Nothing if there is no such response. */
  ownInput(owner: string, id: string): StoredItem[] {
    const row = this.#find(owner, id);
    return row === undefined ? [] : this.#parts.lists.all(inputOf(Number(row.n)));
  }

  /** All that the model got, as OpenAI has it: its history, and what its request sent. */
  inputItems(owner: string, id: string, query: PageQuery): ItemPage | 'unknown-after' | undefined {
    const row = this.#find(owner, id);
    if (row === undefined) return undefined;
    const { lists, history } = this.#parts;
    return lists.pageOfEntries(history.inputBackwards(Number(row.n), toLinks(row)), query);
  }

  /**
   * The items before a response that continues this one, or this conversation; or those before a response itself, without
   * its own input. Newest first; they are read as they are needed. Nothing if there is no such response or conversation.
   */
  *historyBackwards(owner: string, of: Continued | { readonly before: string }): Generator<StoredItem> {
    const { history } = this.#parts;
    if ('before' in of) {
      const row = this.#find(owner, of.before);
      if (row !== undefined) yield* history.backwards(toLinks(row));
      return;
    }
    const { previousId, conversationId } = of;
    const isKnown =
      typeof previousId === 'string'
        ? this.#find(owner, previousId) !== undefined
        : typeof conversationId === 'string' && this.#conversations.get(owner, conversationId) !== undefined;
    if (isKnown) yield* history.backwards(history.find(owner, of));
  }

  /** The item with this id, in whatever response or conversation of its owner it is. */
  findItem(owner: string, id: string): StoredItem | undefined {
    return this.#parts.items.find(owner, id);
  }

  /** The background response of this conversation that has not ended, if there is one. */
  openInConversation(owner: string, conversationId: string): string | undefined {
    const row = this.#db.get(
      `SELECT r.id FROM responses r INDEXED BY open_responses JOIN conversations c ON c.n = r.conversation
       WHERE c.id = ? AND c.owner = ? AND r.ended = 0 LIMIT 1`,
      ...[conversationId, owner],
    );
    return row && String(row.id);
  }

  /** All background responses that have not ended, oldest first. */
  open(): ResponseSummary[] {
    return this.#db.all(`${summaryOf} WHERE r.ended = 0 ORDER BY r.n`).map(toSummary);
  }

  /** The request of a background response that has not ended. Its history is `historyBackwards(owner, { before: id })`. */
  requestOf(id: string): StoredRequest | undefined {
    const row = this.#db.get('SELECT * FROM responses WHERE id = ? AND ended = 0', id);
    if (row === undefined) return undefined;
    const owner = String(row.owner);
    return {
      owner,
      request: this.#parts.codec.decode({ owner, name: `request of ${id}` }, row.request),
      input: this.#parts.lists.all(inputOf(Number(row.n))),
    };
  }

  /** It is then `in_progress`. False if it has ended or is gone. */
  begin(id: string): boolean {
    return this.#db.run("UPDATE responses SET status = 'in_progress' WHERE id = ? AND ended = 0", id) === 1;
  }

  /** Leaves out events that are stored already. Returns false if the response has ended or is gone. */
  appendEvents(id: string, events: readonly ResponseEvent[]): boolean {
    return this.#db.transaction(() => {
      const row = this.#unfinished(id);
      if (row !== undefined) this.#events.append(keyOf(row), events);
      return row !== undefined;
    });
  }

  /** The events with greater numbers, in their order. */
  eventsAfter(id: string, sequence: number, limit: number): ResponseEvent[] {
    const row = this.#db.get('SELECT n, id, owner FROM responses WHERE id = ? AND deleted = 0', id);
    return row ? this.#events.after(keyOf(row), sequence, limit) : [];
  }

  /** The number of the first event that is kept, or that will be kept: those before it are gone. */
  firstEvent(id: string): number {
    return Number(this.#db.get('SELECT first_event FROM responses WHERE id = ?', id)?.first_event ?? 0);
  }

  /** The number of the next event: those of events that are gone are not used again. */
  nextEvent(id: string): number {
    const row = this.#db.get('SELECT n FROM responses WHERE id = ?', id);
    return row ? this.#events.next(Number(row.n)) : 0;
  }

  /** Drops its events, so that it begins anew; their numbers are not used again. Returns how often that has happened. */
  restart(id: string): number | undefined {
    return this.#db.transaction(() => {
      const row = this.#unfinished(id);
      if (row === undefined) return undefined;
      this.#events.drop(Number(row.n));
      this.#db.run('UPDATE responses SET restarts = restarts + 1 WHERE n = ?', row.n ?? null);
      return Number(row.restarts) + 1;
    });
  }

  /**
   * The end of a background response, with its last events; its items are appended to its conversation. False if it had ended
   * before, or is gone.
   */
  finish(
    id: string,
    status: ResponseStatus,
    object: JsonObject,
    events: readonly ResponseEvent[] = [],
  ): boolean {
    return this.#db.transaction(() => {
      const row = this.#unfinished(id);
      if (row === undefined) return false;
      this.#events.append(keyOf(row), events);
      this.#records.end(row, status, object);
      this.#records.append(row);
      return true;
    });
  }

  #find(owner: string, id: string): Row | undefined {
    return this.#db.get(`${recordOf} WHERE r.id = ? AND r.owner = ? AND r.deleted = 0`, id, owner);
  }

  #row(n: Row[string]): Row {
    return this.#db.get(`${recordOf} WHERE r.n = ?`, n) as Row;
  }

  #unfinished(id: string): Row | undefined {
    return this.#db.get('SELECT * FROM responses WHERE id = ? AND ended = 0', id);
  }
}

const keyOf = ({ n, id, owner }: Row) => ({ n: Number(n), id: String(id), owner: String(owner) });
