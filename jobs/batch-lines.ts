import type { GatewayClient } from '../client/gateway-client.ts';
import type { Log } from '../log/create-log.ts';
import type { Batch, BatchError } from '../store/batch.ts';
import type { Line, LineResult } from '../store/batch-line.ts';
import { ContentError } from '../store/errors.ts';
import { newId } from '../store/ids.ts';
import type { Store } from '../store/store.ts';
import type { BatchReason } from './batch-reason.ts';
import { judgeResponse } from './judge-response.ts';
import { readLine } from './read-line.ts';
import { responseText, usageOf } from './result-text.ts';
import { sendLine } from './send-line.ts';
import type { StoreGuard } from './store-guard.ts';

export interface JobServices {
  readonly store: Store;
  readonly guard: StoreGuard;
  readonly gateway: GatewayClient;
  readonly log: Log;
  readonly isStopping: () => boolean;
  /** Called with the slots that batches may use for a model. */
  readonly onSlots: (model: string, slots: number) => void;
  /** Called when another line may be begun. */
  readonly onFree: () => void;
}

/** How many lines are read from the database at once. */
const PAGE = 256;
/** A key that is refused may be so by a mistake in the key file that is corrected soon, ms. */
const REFUSAL_GRACE = 10_000;
/** A batch that makes no progress for so long says why, ms. */
const SILENCE = 3000;

/** How often it looks whether a full store has room again, ms. */
const FULL_PAUSE = 5000;

/** Before a line is tried again that failed in an unexpected way, ms. */
const UNEXPECTED_PAUSE = 5000;

/** How the lines of a batch have come to an end; `stopped`: the runner ends. */
export type LinesEnd = 'done' | 'cancelled' | 'expired' | 'stopped' | { readonly failed: BatchError };

/** The lines of one model of a batch that are to be run, and those that run: no model holds up another one. */
export class BatchLines {
  readonly batch: Batch;
  /** Empty if they name none. */
  readonly model: string;
  /** As the store has it: null is the model of the batch. */
  readonly #storedModel: string | null;
  readonly #services: JobServices;
  readonly #aborted = new AbortController();
  readonly #ended = Promise.withResolvers<LinesEnd>();
  #end: LinesEnd | undefined;
  #page: Line[] = [];
  #last: Line | undefined;
  #isRead = false;
  /** Lines that have to be asked again. */
  readonly #again: Line[] = [];
  /** Lines that wait for something that others do not need, until when. */
  #later: { readonly line: Line; readonly at: number }[] = [];
  /** Since when such lines wait while no line succeeds. */
  #laterSince: number | undefined;
  /** How often an engine has failed with a line, by its number. */
  readonly #attempts = new Map<number, number>();
  #running = 0;
  #committing = 0;
  /** The next line is begun after this time, `performance.now()`. */
  #pausedUntil = 0;
  /** How often in a row lines had to wait, and since when. */
  #failures = 0;
  #waitingSince = 0;
  #refusedSince: number | undefined;
  readonly #reason: BatchReason;

  constructor(batch: Batch, storedModel: string | null, services: JobServices, reason: BatchReason) {
    this.batch = batch;
    this.model = storedModel ?? batch.model ?? '';
    this.#storedModel = storedModel;
    this.#services = services;
    this.#reason = reason;
  }

  /** Resolves when no line runs any more, and all results are stored. */
  get ended(): Promise<LinesEnd> {
    return this.#ended.promise;
  }

  get id(): string {
    return this.batch.id;
  }

  get owner(): string {
    return this.batch.owner;
  }

  /** How many lines are at the gateway. */
  get running(): number {
    return this.#running;
  }

  /** Whether a line can be begun now. */
  get isReady(): boolean {
    const now = performance.now();
    if (this.#end !== undefined || now < this.#pausedUntil) return false;
    return this.#later.some(({ at }) => at <= now) || this.#hasMore();
  }

  /** Begins no more lines. Those that run are cut off at once, or, if `lets` is given, when it aborts. */
  stop(end: LinesEnd, lets?: AbortSignal): void {
    this.#end ??= end;
    if (lets === undefined || lets.aborted) this.#aborted.abort();
    else lets.addEventListener('abort', () => this.#aborted.abort());
    this.settle();
  }

  /** Begins the next line. Resolves when it is not at the gateway any more. */
  async runNext(): Promise<void> {
    if (this.#pauseIfFull()) return;
    const line = this.#again.shift() ?? this.#takeLater() ?? this.#page.shift();
    if (line === undefined) return;
    this.#running += 1;
    try {
      await this.#run(line);
    } catch (error) {
      this.#again.push(line);
      if (error instanceof ContentError) this.stop({ failed: unreadable(error) });
      else if (!this.#aborted.signal.aborted) {
        this.#pause(UNEXPECTED_PAUSE, 'its input file cannot be read at the moment');
        throw error;
      }
    } finally {
      this.#running -= 1;
      this.settle();
      this.#services.onFree();
    }
  }

  /** Resolves `ended` if there is nothing left to do. */
  settle(): void {
    if (this.#running > 0 || this.#committing > 0) return;
    if (this.#end !== undefined) this.#ended.resolve(this.#end);
    else if (this.#later.length === 0 && !this.#hasMore()) this.#ended.resolve('done');
  }

  async #run(line: Line): Promise<void> {
    const { store, gateway, onSlots } = this.#services;
    const { id: batchId, owner, user, endpoint: path, inputFileId } = this.batch;
    const { custom_id: customId, body } = await readLine(store, inputFileId, line);
    const requestId = newId('batch_req_');
    const request = { owner, user, batchId, path, body, requestId };
    const response = await sendLine(gateway, request, this.#aborted.signal);
    if (response.outcome === 'responded' && response.batchSlots !== undefined)
      onSlots(this.model, response.batchSlots);
    const attempts = this.#attempts.get(line.number) ?? 0;
    const verdict = judgeResponse(response, this.#failures, attempts);
    if (verdict.line === 'waits') {
      if (response.outcome === 'responded' && response.status === 502)
        this.#attempts.set(line.number, attempts + 1);
      this.#again.push(line);
      this.#pause(verdict.forMs, verdict.reason);
      return;
    }
    if (verdict.line === 'waits alone') {
      const now = performance.now();
      this.#later.push({ line, at: now + verdict.forMs });
      this.#laterSince ??= now;
      if (now - this.#laterSince > SILENCE) this.#reason.set(this.model, verdict.reason);
      return;
    }
    if (verdict.line === 'refused') {
      this.#again.push(line);
      this.#onRefusal(verdict);
      return;
    }
    this.#attempts.delete(line.number);
    this.#onProgress();
    const text = responseText(requestId, customId, verdict.response);
    const usage = verdict.line === 'completed' ? usageOf(JSON.parse(verdict.response.json)) : undefined;
    this.#commit({ number: line.number, state: verdict.line, text, usage });
  }

  /** The line counts as running no more: the next one can begin while this one's result is written. */
  #commit(result: LineResult): void {
    const { store, guard } = this.#services;
    this.#committing += 1;
    guard
      .persist(() => store.batches.finishLines(this.id, [result]))
      .catch((error) => {
        this.stop('stopped');
        if (this.#services.isStopping()) return;
        this.#ended.reject(error);
      })
      .finally(() => {
        this.#committing -= 1;
        this.settle();
      });
  }

  /** The result of a line that runs is stored in any case, so none is begun when its owner may not store more. */
  #pauseIfFull(): boolean {
    const { limit, left } = this.#services.store.room(this.owner);
    if (left > 0) return false;
    const variable = limit === 'key' ? 'STORE_MAX_SIZE_PER_KEY' : 'STORE_MAX_SIZE';
    this.#pause(
      FULL_PAUSE,
      `the results do not fit into ${variable}: delete files that are not needed any more`,
    );
    return true;
  }

  #pause(forMs: number, reason: string): void {
    const now = performance.now();
    if (this.#failures === 0) this.#waitingSince = now;
    // The lines that run together fail together: that is one failure.
    if (now >= this.#pausedUntil) this.#failures += 1;
    this.#pausedUntil = Math.max(this.#pausedUntil, now + forMs);
    if (now + forMs - this.#waitingSince > SILENCE) this.#reason.set(this.model, reason);
  }

  #onRefusal({ code, message }: { readonly code: string; readonly message: string }): void {
    this.#refusedSince ??= performance.now();
    if (performance.now() - this.#refusedSince < REFUSAL_GRACE) this.#pause(1000, message);
    else
      this.stop({ failed: { code, message: `The key of this batch: ${message}`, param: null, line: null } });
  }

  /** A line that ends during a pause began before it, and does not show that the reason for it is gone. */
  #onProgress(): void {
    if (performance.now() < this.#pausedUntil) return;
    this.#failures = 0;
    this.#refusedSince = undefined;
    this.#laterSince = undefined;
    this.#reason.set(this.model, null);
  }

  #takeLater(): Line | undefined {
    const now = performance.now();
    const due = this.#later.find(({ at }) => at <= now);
    this.#later = this.#later.filter((it) => it !== due);
    return due?.line;
  }

  /** Besides those that wait for a time of their own. */
  #hasMore(): boolean {
    if (this.#again.length > 0 || this.#page.length > 0) return true;
    if (this.#isRead) return false;
    this.#page = this.#services.store.batches.nextLines(this.id, PAGE, {
      after: this.#last,
      model: this.#storedModel,
    });
    this.#last = this.#page.at(-1) ?? this.#last;
    this.#isRead = this.#page.length === 0;
    return !this.#isRead;
  }
}

export const unreadable = ({ message }: ContentError): BatchError => ({
  code: 'input_file_unreadable',
  message: `The input file cannot be read any more: ${message}`,
  param: 'input_file_id',
  line: null,
});
