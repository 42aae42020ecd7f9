import { setTimeout as sleep } from 'node:timers/promises';
import { GatewayClient } from '../client/gateway-client.ts';
import type { Log } from '../log/create-log.ts';
import { recordUnhandledError } from '../log/unhandled-errors.ts';
import type { Batch } from '../store/batch.ts';
import { StoreUnavailable } from '../store/errors.ts';
import type { Store } from '../store/store.ts';
import { BatchJob, type BatchJobServices } from './batch-job.ts';
import type { RunnerConfig } from './config.ts';
import { Dispatcher } from './dispatcher.ts';
import { OneAtATime } from './one-at-a-time.ts';
import { ResponseJobs } from './response-jobs.ts';
import { StoreGuard } from './store-guard.ts';
import { StoreSync } from './store-sync.ts';

/** How often it looks for new jobs and cancels, ms. A background response should begin at once. */
const POLL = 100;
/** How often it asks for the number of slots, ms. */
const SLOTS_POLL = 2000;
/** How often it removes what has expired, ms. */
const SWEEP = 10 * 60_000;
/** When a batch is tried again after a failure of our own, ms. */
const RETRY_AFTER = 5000;
/** How long the last results may take to be stored after their lines were cut off, ms. */
const LAST_RESULTS = 2000;

export interface RunnerOptions {
  readonly config: RunnerConfig;
  readonly store: Store;
  readonly log: Log;
  /** Called at the start, and when it changes. */
  readonly onJobs: (hasJobs: boolean) => void;
}

/** Runs the batches and the background responses of the store, as a client of the gateway. */
export class Runner {
  readonly #store: Store;
  readonly #config: RunnerConfig;
  readonly #log: Log;
  readonly #onJobs: (hasJobs: boolean) => void;
  readonly #gateway: GatewayClient;
  readonly #guard: StoreGuard;
  readonly #sync: StoreSync;
  readonly #dispatcher: Dispatcher;
  readonly #jobs = new Map<string, BatchJob>();
  readonly #responses: ResponseJobs;
  readonly #running = new Set<Promise<void>>();
  readonly #validations = new OneAtATime();
  /** Aborted when no more lines are begun; when those that run are cut off; when nothing is stored any more. */
  readonly #stopping = new AbortController();
  readonly #cutOff = new AbortController();
  readonly #closed = new AbortController();
  #dataVersion: number | undefined;
  /** Why the last look at the store failed; it is logged once. */
  #failure: string | undefined;
  #hasJobs: boolean | undefined;

  constructor({ config, store, log, onJobs }: RunnerOptions) {
    this.#config = config;
    this.#store = store;
    this.#log = log;
    this.#onJobs = onJobs;
    this.#gateway = new GatewayClient(config.gateway);
    this.#guard = new StoreGuard(log, this.#closed.signal, () => {
      for (const job of this.#jobs.values()) job.showReason();
    });
    this.#sync = new StoreSync(store, log);
    this.#dispatcher = new Dispatcher(() => this.#guard.isPaused);
    this.#responses = new ResponseJobs({
      ...{ store, log, gateway: this.#gateway, guard: this.#guard, maxReplays: config.maxReplays },
      stopping: this.#stopping.signal,
      onFree: () => this.#lookAgain(),
    });
    this.#cutOff.signal.addEventListener('abort', () => this.#responses.stop(), { once: true });
  }

  /** Resolves when it was stopped. */
  async run(): Promise<void> {
    await this.#guard.persist(() => this.#store.batches.recover());
    this.#pollSlots().catch(recordUnhandledError);
    this.#sweep().catch((error) => {
      if (!this.#closed.signal.aborted) recordUnhandledError(error);
    });
    while (!this.#isStopping) {
      this.#look();
      this.#sync.run();
      await this.#pause(POLL);
    }
    await this.#finish();
  }

  /** Begins no more lines and responses, and lets those that run go on for `DRAIN_TIMEOUT`; a second call cuts them off. */
  stop(): void {
    if (this.#isStopping) this.#cutOff.abort();
    this.#stopping.abort();
    for (const job of this.#jobs.values()) job.interrupt('stopped', this.#cutOff.signal);
  }

  get #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  #look(): void {
    try {
      this.#findJobs();
      const now = Date.now() / 1000;
      for (const job of this.#jobs.values()) if (job.expiresAt <= now) job.interrupt('expired');
      this.#dispatcher.dispatch();
      this.#failure = undefined;
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      const isNew = error.message !== this.#failure;
      this.#failure = error.message;
      if (isNew && !this.#guard.isPaused) this.#log.warn(error.message);
    }
  }

  #findJobs(): void {
    const version = this.#store.dataVersion;
    if (version === this.#dataVersion) return;
    const open = this.#store.batches.open();
    const responses = this.#store.responses.open();
    this.#dataVersion = version;
    this.#responses.update(responses);
    for (const batch of open) {
      const job = this.#jobs.get(batch.id);
      if (job === undefined) this.#begin(batch);
      else if (batch.status === 'cancelling') job.interrupt('cancelled');
    }
    const ids = new Set(open.map(({ id }) => id));
    // Somebody has purged the store.
    for (const [id, job] of this.#jobs) if (!ids.has(id)) job.interrupt('stopped');
    this.#report(open.length + responses.length > 0);
  }

  #begin(batch: Batch): void {
    const job = new BatchJob(batch, this.#services);
    this.#jobs.set(batch.id, job);
    job.showReason();
    const running = this.#runJob(batch.id, job).finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  async #runJob(id: string, job: BatchJob): Promise<void> {
    try {
      await job.run();
    } catch (error) {
      if (!this.#isStopping) {
        recordUnhandledError(error);
        await this.#pause(RETRY_AFTER);
      }
    }
    this.#jobs.delete(id);
    // It may not have ended: it was cancelled just before, for example.
    this.#dataVersion = undefined;
  }

  #lookAgain(): void {
    this.#dataVersion = undefined;
    this.#dispatch();
  }

  get #services(): BatchJobServices {
    const {
      maxLineLength,
      store: { key: storeKey },
    } = this.#config;
    return {
      ...{ store: this.#store, guard: this.#guard, gateway: this.#gateway, log: this.#log },
      ...{ maxLineLength, storeKey },
      isStopping: () => this.#isStopping,
      onSlots: (model, slots) => this.#dispatcher.setSlots(model, slots),
      onFree: () => this.#dispatch(),
      validations: this.#validations,
      addLines: (batch, lines) => {
        const added = this.#dispatcher.add(batch, lines);
        this.#dispatch();
        return added;
      },
    };
  }

  /** Errors of the store show at the next look, too. */
  #dispatch(): void {
    if (!this.#isStopping) queueMicrotask(() => this.#look());
  }

  #report(hasJobs: boolean): void {
    if (hasJobs === this.#hasJobs) return;
    this.#hasJobs = hasJobs;
    this.#onJobs(hasJobs);
  }

  async #pollSlots(): Promise<void> {
    while (!this.#isStopping) {
      const slots = await this.#gateway.slots();
      this.#dispatcher.setTotal(slots);
      this.#responses.setSlots(slots);
      await this.#pause(SLOTS_POLL);
    }
  }

  async #sweep(): Promise<void> {
    while (!this.#isStopping) {
      const removed = await this.#guard.persist(() => this.#store.sweep());
      if (Object.values(removed).some((count) => count > 0))
        this.#log.info(removed, 'removed what has expired');
      await this.#pause(SWEEP);
    }
  }

  async #finish(): Promise<void> {
    const done = Promise.all([Promise.allSettled(this.#running), this.#responses.ended()]);
    await within(done, this.#config.drainMs, this.#cutOff.signal);
    this.#cutOff.abort();
    await within(done, LAST_RESULTS);
    this.#closed.abort();
    await done;
    await this.#gateway.close();
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#stopping.signal }).catch(() => {});
  }
}

/** Resolves with it, after so long, or when the signal aborts. */
async function within(promise: Promise<unknown>, ms: number, signal?: AbortSignal): Promise<void> {
  const done = new AbortController();
  const signals = signal ? [done.signal, signal] : [done.signal];
  await Promise.race([promise, sleep(ms, undefined, { signal: AbortSignal.any(signals) }).catch(() => {})]);
  done.abort();
}
