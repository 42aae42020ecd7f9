import type { ServerResponse } from 'node:http';
import { recordUnhandledError } from '../../log/unhandled-errors.ts';
import { formatEvent } from '../../sse/sse.ts';

const INTERVAL = 1000;
/** A page that stops reading, such as on a sleeping phone, gets no more events until it reads again. */
const MAX_UNSENT = 256 * 1024;

export interface SseClient {
  readonly response: ServerResponse;
  /** Whether it may still see the events. */
  readonly isAuthorized: () => boolean;
}

/** Data by event name. An event is sent only if its data has changed. */
export type SseEvents = Readonly<Record<string, unknown>>;

/** The connected pages. All get the same events about once per second; nothing is collected while there are none. */
export class SseClients {
  readonly #collect: () => Promise<SseEvents>;
  readonly #getInitialEvents: () => Promise<SseEvents>;
  readonly #clients = new Set<SseClient>();
  /** The latest data of each event as JSON. */
  readonly #sent = new Map<string, string>();
  /** Clients that missed events and get all of them when they read again. */
  readonly #behind = new WeakSet<SseClient>();
  #collecting: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** `collect` returns the events for all clients; `getInitialEvents` additional ones for a new client. */
  constructor(collect: () => Promise<SseEvents>, getInitialEvents: () => Promise<SseEvents>) {
    this.#collect = collect;
    this.#getInitialEvents = getInitialEvents;
  }

  get count(): number {
    return this.#clients.size;
  }

  /** Sends events to this client until its connection closes. */
  async add(client: SseClient): Promise<void> {
    const { response } = client;
    response.once('close', () => this.#remove(client));
    const initial = Object.entries(await this.#getInitialEvents());
    response.write(formatEvents(initial.map(([name, data]) => [name, JSON.stringify(data)])));
    // Without clients the latest data may be old.
    if (this.#clients.size === 0) this.#sent.clear();
    if (this.#sent.size === 0) await this.#update();
    response.write(formatEvents([...this.#sent]));
    if (response.closed) return;
    this.#clients.add(client);
    this.#timer ??= setInterval(() => this.#sendChanges().catch(recordUnhandledError), INTERVAL);
  }

  /** Ends all streams. The pages reconnect. */
  close(): void {
    for (const { response } of this.#clients) response.end();
  }

  #remove(client: SseClient): void {
    this.#clients.delete(client);
    if (this.#clients.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #sendChanges(): Promise<void> {
    const before = new Map(this.#sent);
    await this.#update();
    const changed = [...this.#sent].filter(([name, json]) => before.get(name) !== json);
    const text = formatEvents(changed);
    for (const client of this.#clients) this.#send(client, text);
  }

  #send(client: SseClient, text: string): void {
    const { response, isAuthorized } = client;
    if (!isAuthorized()) response.end(formatEvents([['ended', '{}']]));
    else if (response.writableLength > MAX_UNSENT) this.#behind.add(client);
    else response.write(this.#behind.delete(client) ? formatEvents([...this.#sent]) : text);
  }

  #update(): Promise<void> {
    this.#collecting ??= this.#collect()
      .then((events) => {
        for (const [name, data] of Object.entries(events)) this.#sent.set(name, JSON.stringify(data));
      })
      .finally(() => {
        this.#collecting = undefined;
      });
    return this.#collecting;
  }
}

const formatEvents = (events: readonly (readonly [name: string, json: string])[]) =>
  events.map(([name, json]) => formatEvent(json, name)).join('');
