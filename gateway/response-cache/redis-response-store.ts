import { once } from 'node:events';
import type { Log } from '../../log/create-log.ts';
import { connectRedis } from '../limits/redis-store.ts';
import { DeadlineExceeded, withDeadline } from '../limits/with-deadline.ts';
import type { ResponseStore } from './response-store.ts';

export interface RedisResponseStoreOptions {
  readonly url: string;
  readonly ttlMs: number;
  /** How long a request may wait for Redis, ms. */
  readonly timeoutMs: number;
  readonly log: Log;
}

const PREFIX = Buffer.from('corral:response:');
/** What Redis can be expected to return in time. */
const MAX_VALUE_BYTES = 1024 ** 2;
/** For the first connection, ms. */
const CONNECT_TIMEOUT = 1000;
/** After a failure, ms: meanwhile there is nothing to read, and nothing is written. */
const PAUSE = 1000;

/** In Redis or Valkey, shared by all gateways with the same `REDIS_URL`. While it is unreachable the cache is empty. */
export class RedisResponseStore implements ResponseStore {
  readonly maxValueBytes = MAX_VALUE_BYTES;
  readonly usage = undefined;
  readonly #options: RedisResponseStoreOptions;
  readonly #client: ReturnType<typeof connectRedis>;
  #pausedUntil = 0;
  #isUnreachable = false;

  constructor(options: RedisResponseStoreOptions) {
    this.#options = options;
    this.#client = connectRedis(options.url);
    this.#client.on('error', (error: Error) => this.#onFailure(error));
  }

  /** Waits for Redis, for at most a second. */
  async connect(): Promise<void> {
    try {
      if (this.#client.status !== 'ready') await withDeadline(CONNECT_TIMEOUT, once(this.#client, 'ready'));
    } catch (error) {
      this.#onFailure(error);
    }
  }

  get(name: Buffer): undefined | Promise<Buffer | undefined> {
    if (this.#isPaused) return undefined;
    return this.#run(async () => (await this.#client.getBuffer(nameInRedis(name))) ?? undefined);
  }

  set(name: Buffer, value: Buffer): void {
    if (this.#isPaused) return;
    void this.#run(() => this.#client.set(nameInRedis(name), value, 'PX', this.#options.ttlMs));
  }

  [Symbol.dispose](): void {
    this.#client.disconnect();
  }

  get #isPaused(): boolean {
    return performance.now() < this.#pausedUntil;
  }

  /** Undefined if it fails, or takes too long. */
  async #run<T>(command: () => Promise<T>): Promise<T | undefined> {
    try {
      const result = await withDeadline(this.#options.timeoutMs, command());
      if (this.#isUnreachable)
        this.#options.log.info('Redis is back: responses are read from it and kept in it again');
      this.#isUnreachable = false;
      return result;
    } catch (error) {
      this.#onFailure(error);
      return undefined;
    }
  }

  #onFailure(error: unknown): void {
    this.#pausedUntil = performance.now() + PAUSE;
    // Without replies, a connection may be dead without an error.
    if (error instanceof DeadlineExceeded && this.#client.status === 'ready') this.#client.disconnect(true);
    if (this.#isUnreachable) return;
    this.#isUnreachable = true;
    const why = error instanceof Error ? error.message : String(error);
    this.#options.log.warn({ why }, 'Redis is unreachable: no responses are read from it or kept in it');
  }
}

const nameInRedis = (name: Buffer) => Buffer.concat([PREFIX, name]);
