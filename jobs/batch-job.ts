import type { Batch, BatchError, BatchStatus } from '../store/batch.ts';
import type { Line, LineResult, LineState } from '../store/batch-line.ts';
import type { BatchChanges } from '../store/batches.ts';
import { ContentError } from '../store/errors.ts';
import { newId } from '../store/ids.ts';
import { BatchLines, type JobServices, type LinesEnd, unreadable } from './batch-lines.ts';
import { BatchReason } from './batch-reason.ts';
import type { OneAtATime } from './one-at-a-time.ts';
import { readLine } from './read-line.ts';
import { errorText } from './result-text.ts';
import { type Validation, validateBatch } from './validate-batch.ts';

export interface BatchJobServices extends JobServices {
  readonly maxLineLength: number;
  readonly storeKey: Buffer | undefined;
  /** Lets one file at a time be validated. */
  readonly validations: OneAtATime;
  /** Gives the lines of a batch their turns. */
  readonly addLines: (batch: Batch, lines: readonly BatchLines[]) => Disposable;
}

/** Lines that are ended in one transaction. */
const CHUNK = 500;

type EndReason = Pick<BatchError, 'code' | 'message'>;

type Interruption = Exclude<LinesEnd, 'done' | { readonly failed: BatchError }>;

/** The life of one batch, from its creation or the start of the runner to its end. */
export class BatchJob {
  readonly #services: BatchJobServices;
  readonly #interrupted = new AbortController();
  /** Only when the runner stops, or the batch is gone. */
  readonly #stopped = new AbortController();
  #batch: Batch;
  #reason: BatchReason;
  /** By model. */
  #lines: readonly BatchLines[] = [];
  #interruption: Interruption | undefined;

  constructor(batch: Batch, services: BatchJobServices) {
    this.#batch = batch;
    this.#services = services;
    this.#reason = new BatchReason(batch, services);
  }

  get expiresAt(): number {
    return this.#batch.expiresAt;
  }

  /** To be called when the store has begun or ceased to make batches wait. */
  showReason(): void {
    this.#reason.show();
  }

  /** Ends it early. `lets`: lines that run may go on until it aborts. */
  interrupt(why: Interruption, lets?: AbortSignal): void {
    this.#interruption ??= why;
    if (why === 'stopped') this.#stopped.abort();
    this.#interrupted.abort();
    this.#stopLines(why, lets);
  }

  /** Resolves when the batch has ended, or the runner stops. */
  async run(): Promise<void> {
    if (this.#batch.status === 'cancelling') this.interrupt('cancelled');
    if (this.#batch.status === 'validating' && !this.#interruption) await this.#validate();
    if (this.#batch.status === 'in_progress' && !this.#interruption) await this.#runLines();
    if (this.#interruption === 'cancelled' || this.#interruption === 'expired')
      await this.#endEarly(this.#interruption);
    else if (this.#batch.status === 'finalizing') await this.#become('completed');
  }

  async #validate(): Promise<void> {
    const validation = await this.#readInTurn(this.#interrupted.signal);
    if (validation === undefined) return;
    if ('errors' in validation) {
      // As with OpenAI, a batch of which nothing has run has no lines.
      await this.#clearLines();
      await this.#become('failed', { errors: validation.errors });
    } else
      await this.#become('in_progress', validation.model === undefined ? {} : { model: validation.model });
  }

  /** Undefined if it was interrupted. */
  #readInTurn(signal: AbortSignal): Promise<Validation | undefined> {
    return this.#services.validations.run(this.#batch, () => this.#readFile(signal), signal);
  }

  async #readFile(signal: AbortSignal): Promise<Validation | undefined> {
    const { store, guard, maxLineLength, storeKey: key } = this.#services;
    const { id, endpoint, inputFileId } = this.#batch;
    try {
      // An earlier runner may have been killed in the middle of this.
      await this.#clearLines();
      return await validateBatch({
        ...{ endpoint, maxLineLength, key, signal },
        content: store.files.read(inputFileId),
        addLines: (lines) => guard.persist(() => store.batches.addLines(id, lines)),
      });
    } catch (error) {
      if (signal.aborted) return undefined;
      if (error instanceof ContentError) return { errors: [unreadable(error)] };
      throw error;
    }
  }

  #clearLines(): Promise<void> {
    const { store, guard } = this.#services;
    return guard.persist(() => store.batches.clearLines(this.#batch.id));
  }

  async #runLines(): Promise<void> {
    const batch = this.#batch;
    const models = this.#services.store.batches.modelsOfLines(batch.id);
    this.#lines = models.map((model) => new BatchLines(batch, model, this.#services, this.#reason));
    this.#reason.begin(this.#lines.map(({ model }) => model));
    using _ = this.#services.addLines(batch, this.#lines);
    const ends = await Promise.allSettled(this.#lines.map((lines) => this.#endOf(lines)));
    const end = ends.map(settledValue).find((each) => each !== 'done') ?? 'done';
    if (typeof end === 'object') await this.#fail(end.failed);
    else if (end === 'done') await this.#become('finalizing');
  }

  /** What fails the lines of one model fails the batch. */
  async #endOf(lines: BatchLines): Promise<LinesEnd> {
    lines.settle();
    try {
      const end = await lines.ended;
      if (typeof end === 'object') this.#stopLines(end);
      this.#reason.end(lines.model);
      return end;
    } catch (error) {
      this.#stopLines('stopped');
      throw error;
    }
  }

  #stopLines(end: Exclude<LinesEnd, 'done'>, lets?: AbortSignal): void {
    for (const lines of this.#lines) lines.stop(end, lets);
  }

  /** In Anthropic's API, a batch cannot fail: each of its requests has a result. */
  async #fail(error: BatchError): Promise<void> {
    if (this.#batch.dialect === 'anthropic') await this.#endLines('failed', error);
    await this.#become('failed', { errors: [error] });
  }

  async #endEarly(end: 'cancelled' | 'expired'): Promise<void> {
    if (this.#batch.inProgressAt === null && !(await this.#endReading())) return;
    await this.#endLines(end, reasons[end]);
    await this.#become(end);
  }

  /**
   * Of a file that was not read to its end it is not known which lines it has: none count. In Anthropic's API they are known
   * from the start, and each one has a result. Returns false if the runner stops meanwhile.
   */
  async #endReading(): Promise<boolean> {
    const { store, guard } = this.#services;
    const { id, dialect } = this.#batch;
    if (dialect === 'anthropic') return (await this.#readInTurn(this.#stopped.signal)) !== undefined;
    await guard.persist(() => store.batches.clearLines(id));
    return true;
  }

  /** Lines that have no result get one that says why. */
  async #endLines(state: LineState, reason: EndReason): Promise<void> {
    const { store, guard } = this.#services;
    const { id } = this.#batch;
    for (;;) {
      const lines = store.batches.nextLines(id, CHUNK);
      if (lines.length === 0) return;
      const results: LineResult[] = [];
      for (const line of lines)
        results.push({ number: line.number, state, text: await this.#endText(line, reason) });
      await guard.persist(() => store.batches.finishLines(id, results));
    }
  }

  /** Undefined if the line cannot be read any more. */
  async #endText(line: Line, { code, message }: EndReason): Promise<string | undefined> {
    try {
      const { custom_id: customId } = await readLine(this.#services.store, this.#batch.inputFileId, line);
      return errorText(newId('batch_req_'), customId, code, message);
    } catch (error) {
      if (error instanceof ContentError) return undefined;
      throw error;
    }
  }

  async #become(status: BatchStatus, changes: BatchChanges = {}): Promise<void> {
    const { store, guard, log } = this.#services;
    const batch = await guard.persist(() => store.batches.transition(this.#batch.id, status, changes));
    // It was cancelled a moment ago, or is gone: the next look at the store shows that.
    if (batch === undefined) return;
    this.#batch = batch;
    this.#reason = new BatchReason(batch, this.#services);
    const { id, owner, counts, errors } = batch;
    const { total: lines, ...ends } = counts;
    const details = { batch: id, key: owner || undefined, lines, ...ends, error: errors[0]?.code };
    log.info(details, `batch ${status.replace('_', ' ')}`);
  }
}

/** Throws what it was rejected with. */
function settledValue<T>(result: PromiseSettledResult<T>): T {
  if (result.status === 'rejected') throw result.reason;
  return result.value;
}

const reasons = {
  cancelled: {
    code: 'batch_cancelled',
    message: 'The batch was cancelled before this request was answered.',
  },
  expired: {
    code: 'batch_expired',
    message: 'This request could not be executed before the completion window expired.',
  },
} as const;
