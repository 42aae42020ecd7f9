import type { ResponseEvent } from '../store/response.ts';

/** Events of a response are stored at most so much later than they arrive, ms: all that came meanwhile at once. */
const INTERVAL = 250;
/** So many characters may wait for a disk. */
const MAX_WAITING = 1024 * 1024;

/** Stores the events of one response: without gaps, so none behind those that could not be stored. */
export class EventWriter {
  readonly #store: (events: readonly ResponseEvent[]) => Promise<void>;
  #waiting: ResponseEvent[] = [];
  #length = 0;
  #writing: Promise<void> | undefined;
  #writtenAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #failure: unknown;

  /** `store` resolves when they are durable. */
  constructor(store: (events: readonly ResponseEvent[]) => Promise<void>) {
    this.#store = store;
  }

  /** Resolves at once, unless too much is waiting for the disk. Rejects if events could not be stored. */
  async add(events: readonly ResponseEvent[]): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    for (const event of events) {
      this.#waiting.push(event);
      this.#length += event.text.length;
    }
    if (this.#length > MAX_WAITING) await this.flush();
    else this.#schedule();
  }

  /** Resolves when everything is stored. Rejects if that is not possible. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#failure === undefined && (this.#writing !== undefined || this.#waiting.length > 0))
      await (this.#writing ?? this.#write());
    if (this.#failure !== undefined) throw this.#failure;
  }

  #schedule(): void {
    if (this.#failure !== undefined || this.#timer !== undefined) return;
    if (this.#writing !== undefined || this.#waiting.length === 0) return;
    const wait = Math.max(0, this.#writtenAt + INTERVAL - performance.now());
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#write();
    }, wait);
  }

  /** Never rejects. */
  async #write(): Promise<void> {
    const events = this.#waiting;
    this.#waiting = [];
    this.#length = 0;
    this.#writing = this.#store(events).catch((error: unknown) => {
      this.#failure ??= error;
    });
    await this.#writing;
    this.#writing = undefined;
    this.#writtenAt = performance.now();
    this.#schedule();
  }
}
