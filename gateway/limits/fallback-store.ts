import type { Log } from '../../log/create-log.ts';
import type { CounterResult, CounterStore } from './counter-store.ts';
import type { LocalStore } from './local-store.ts';
import type { RedisStore } from './redis-store.ts';
import { DeadlineExceeded, withDeadline } from './with-deadline.ts';

/** So many late answers in a row are no hiccup any more: nobody waits for the next. */
const HICCUPS = 3;
/** How long the first look at the shared counts may take, ms: a connection has to be made. */
const FIRST_PATIENCE = 1000;
/** Time between two looks whether the shared counts are back, ms. */
const LOOK_AGAIN_AFTER = 500;

export interface FallbackStoreOptions {
  readonly shared: Pick<RedisStore, 'consume' | 'adjust' | 'problem' | 'connected' | 'reconnect' | 'close'>;
  readonly local: LocalStore;
  readonly log: Log;
  /** The longest that a request may wait for a shared count, ms. */
  readonly patienceMs: number;
}

/**
 * Counts together with the other gateways while that can be done, alone otherwise: because of Redis no request fails, and
 * no count takes longer than its patience. Only those under way when it goes away wait at all. One late answer has no effect but
 * that its own request is counted here.
 */
export class FallbackStore implements CounterStore {
  readonly #parts: FallbackStoreOptions;
  #isAlone = false;
  #losses = 0;
  #late = 0;
  #isClosed = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: FallbackStoreOptions) {
    this.#parts = parts;
  }

  /** Whether the shared counts are away. */
  get isLocal(): boolean {
    return this.#isAlone;
  }

  /** How often they went away. */
  get losses(): number {
    return this.#losses;
  }

  async consume(bucket: string, points: number, limit: number): Promise<CounterResult> {
    const { shared, local, patienceMs } = this.#parts;
    if (this.#isAlone) return local.consume(bucket, points, limit);
    const counting = shared.consume(bucket, points, limit);
    try {
      const count = await withDeadline(patienceMs, counting);
      this.#late = 0;
      return count;
    } catch (error) {
      void this.#giveBack(counting, bucket, points);
      this.#late += 1;
      if (!(error instanceof DeadlineExceeded) || this.#late >= HICCUPS) this.#lose(error);
      return local.consume(bucket, points, limit);
    }
  }

  /** Waits for a first answer of the shared counts, for a second at most. */
  async connect(): Promise<void> {
    try {
      await withDeadline(FIRST_PATIENCE, this.#parts.shared.connected());
      await this.#tryOut();
    } catch (error) {
      this.#lose(error);
    }
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#parts.shared.close();
  }

  /** What is counted here is not to be counted there as well, should the answer come after all. */
  async #giveBack(counting: Promise<CounterResult>, bucket: string, points: number): Promise<void> {
    try {
      const { fits } = await counting;
      if (fits && points > 0) await this.#parts.shared.adjust(bucket, -points);
    } catch {
      // It never came: whether it was counted, nobody knows. The window's end forgets it.
    }
  }

  #lose(error: unknown): void {
    if (this.#isAlone) return;
    this.#isAlone = true;
    this.#losses += 1;
    const why = this.#parts.shared.problem ?? (error instanceof Error ? error.message : String(error));
    this.#parts.log.warn(
      { why },
      'Redis is away: this gateway counts requests and tokens alone until it is back',
    );
    this.#parts.shared.reconnect();
    this.#lookAgain();
  }

  #lookAgain(): void {
    if (this.#isClosed) return;
    this.#timer = setTimeout(async () => {
      try {
        await this.#tryOut();
        this.#isAlone = false;
        this.#late = 0;
        this.#parts.log.info('Redis is back: requests and tokens are counted together again');
      } catch {
        this.#parts.shared.reconnect();
        this.#lookAgain();
      }
    }, LOOK_AGAIN_AFTER);
    this.#timer.unref();
  }

  /** Writes, as a Redis that is full or only a replica still reads. */
  #tryOut(): Promise<void> {
    return withDeadline(this.#parts.patienceMs, this.#parts.shared.adjust('trial', 1));
  }
}
