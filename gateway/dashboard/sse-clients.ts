import type { ServerResponse } from 'node:http';
import { recordUnhandledError } from '../../log/unhandled-errors.ts';
import { formatEvent } from '../../sse/sse.ts';

const EVERY = 1000;
/** A page that takes nothing in, such as one on a phone that sleeps, is told nothing more until it does. */
const MOST_UNSENT = 256 * 1024;

export interface SseClient {
  readonly response: ServerResponse;
  /** Whether it may still look. */
  readonly isAuthorized: () => boolean;
}

/** What is told, by the name of its event. Only what has changed is sent again. */
export type SseEvents = Readonly<Record<string, unknown>>;

/** The pages that watch: all are told the same, about once a second, and nothing is done while there are none. */
export class SseClients {
  readonly #look: () => Promise<SseEvents>;
  readonly #greet: () => SseEvents;
  readonly #all = new Set<SseClient>();
  readonly #told = new Map<string, string>();
  /** Who has missed something, and is told all when it takes in again. */
  readonly #behind = new WeakSet<SseClient>();
  #looking: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** `look` finds what all are told; `greet` what a new one needs besides. */
  constructor(look: () => Promise<SseEvents>, greet: () => SseEvents) {
    this.#look = look;
    this.#greet = greet;
  }

  get count(): number {
    return this.#all.size;
  }

  /** Tells this one, too, from now on until its connection closes. */
  async add(watcher: SseClient): Promise<void> {
    const { response } = watcher;
    response.once('close', () => this.#remove(watcher));
    response.write(
      messages(Object.entries(this.#greet()).map(([name, part]) => [name, JSON.stringify(part)])),
    );
    // What was told last may be old where nobody watched.
    if (this.#all.size === 0) this.#told.clear();
    if (this.#told.size === 0) await this.#find();
    response.write(messages([...this.#told]));
    if (response.closed) return;
    this.#all.add(watcher);
    this.#timer ??= setInterval(() => this.#tellAll().catch(recordUnhandledError), EVERY);
  }

  /** Ends all: their pages look for us again. */
  close(): void {
    for (const { response } of this.#all) response.end();
  }

  #remove(watcher: SseClient): void {
    this.#all.delete(watcher);
    if (this.#all.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #tellAll(): Promise<void> {
    const before = new Map(this.#told);
    await this.#find();
    const news = messages([...this.#told].filter(([name, text]) => before.get(name) !== text));
    for (const watcher of this.#all) this.#tell(watcher, news);
  }

  #tell(watcher: SseClient, news: string): void {
    const { response, isAuthorized } = watcher;
    if (!isAuthorized()) response.end(messages([['ended', '{}']]));
    else if (response.writableLength > MOST_UNSENT) this.#behind.add(watcher);
    else response.write(this.#behind.delete(watcher) ? messages([...this.#told]) : news);
  }

  #find(): Promise<void> {
    this.#looking ??= this.#look()
      .then((parts) => {
        for (const [name, part] of Object.entries(parts)) this.#told.set(name, JSON.stringify(part));
      })
      .finally(() => {
        this.#looking = undefined;
      });
    return this.#looking;
  }
}

const messages = (parts: readonly (readonly [name: string, text: string])[]) =>
  parts.map(([name, text]) => formatEvent(text, name)).join('');
