import type { Database } from './database.ts';
import type { JsonCodec, Place } from './json-codec.ts';
import type { ResponseEvent } from './response.ts';

interface ResponseRow {
  readonly n: number;
  readonly id: string;
  readonly owner: string;
}

/** The events of background responses: each row has those that were stored at once. */
export class ResponseEvents {
  readonly #db: Database;
  readonly #codec: JsonCodec;

  constructor(db: Database, codec: JsonCodec) {
    this.#db = db;
    this.#codec = codec;
  }

  /** Within a transaction. Leaves out those that are stored already. */
  append(response: ResponseRow, events: readonly ResponseEvent[]): void {
    const next = this.next(response.n);
    const added = events.filter(({ sequence }) => sequence >= next);
    const [first, last] = [added.at(0), added.at(-1)];
    if (first === undefined || last === undefined) return;
    this.#db.run(
      'INSERT INTO response_events VALUES (?, ?, ?, ?)',
      ...[response.n, first.sequence, last.sequence],
      this.#codec.encode(
        placeOf(response, last.sequence),
        added.map(({ sequence, text }) => [sequence, text]),
      ),
    );
  }

  after(response: ResponseRow, sequence: number, limit: number): ResponseEvent[] {
    const events: ResponseEvent[] = [];
    for (let last = sequence; events.length < limit; ) {
      const row = this.#db.get(
        'SELECT last, content FROM response_events WHERE response = ? AND last > ? ORDER BY last LIMIT 1',
        ...[response.n, last],
      );
      if (row === undefined) break;
      last = Number(row.last);
      const stored = this.#codec.decode<[number, string][]>(placeOf(response, last), row.content);
      for (const [number, text] of stored) if (number > sequence) events.push({ sequence: number, text });
    }
    return events.slice(0, limit);
  }

  /** The number behind the last event, whether that is still kept or not. */
  next(n: number): number {
    const row = this.#db.get(
      `SELECT coalesce((SELECT max(last) + 1 FROM response_events WHERE response = r.n), r.first_event) AS next
       FROM responses r WHERE n = ?`,
      n,
    );
    return Number(row?.next ?? 0);
  }

  /** Within a transaction. The numbers of events are not used again. */
  drop(n: number): void {
    this.#db.run('UPDATE responses SET first_event = ? WHERE n = ?', this.next(n), n);
    this.#db.run('DELETE FROM response_events WHERE response = ?', n);
  }
}

const placeOf = ({ id, owner }: ResponseRow, last: number): Place => ({
  owner,
  name: `events ${last} of ${id}`,
});
