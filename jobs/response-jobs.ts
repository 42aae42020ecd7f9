import { setTimeout as sleep } from 'node:timers/promises';
import { recordUnhandledError } from '../log/unhandled-errors.ts';
import type { ResponseSummary } from '../store/response.ts';
import { ResponseJob, type ResponseJobServices } from './response-job.ts';

/** When a response is tried again after a failure of our own, ms. */
const RETRY_AFTER = 5000;
/** So that a slot finds its next request in the queue of the gateway. */
const EXTRA = 1;

export interface ResponseJobsOptions extends ResponseJobServices {
  /** Called when another one may be begun. */
  readonly onFree: () => void;
}

/**
 * The background responses of the store. Each key may have as many at the gateway as a model has slots, and one more: there
 * they wait in its lane like all its requests, and the others here, so that no queue is full of them.
 */
export class ResponseJobs {
  readonly #options: ResponseJobsOptions;
  readonly #jobs = new Map<string, ResponseJob>();
  readonly #running = new Set<Promise<void>>();
  #slots = 0;

  constructor(options: ResponseJobsOptions) {
    this.#options = options;
  }

  setSlots(slots: number): void {
    if (slots === this.#slots) return;
    this.#slots = slots;
    this.#options.onFree();
  }

  /** Begins those that fit, and stops those that are not open any more. `open`: the oldest first. */
  update(open: readonly ResponseSummary[]): void {
    const ids = new Set(open.map(({ id }) => id));
    for (const [id, job] of this.#jobs) if (!ids.has(id)) job.stop();
    if (this.#options.stopping.aborted) return;
    const most = this.#slots + EXTRA;
    const running = new Map<string, number>();
    for (const { response } of this.#jobs.values()) add(running, response);
    for (const response of open) {
      if (this.#jobs.has(response.id) || (running.get(lineOf(response)) ?? 0) >= most) continue;
      add(running, response);
      this.#begin(response);
    }
  }

  /** Cuts all of them off. */
  stop(): void {
    for (const job of this.#jobs.values()) job.stop();
  }

  /** Resolves when none runs any more. */
  async ended(): Promise<void> {
    await Promise.allSettled(this.#running);
  }

  #begin(response: ResponseSummary): void {
    const job = new ResponseJob(response, this.#options);
    this.#jobs.set(response.id, job);
    const running = this.#run(job).finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  async #run(job: ResponseJob): Promise<void> {
    const { stopping, onFree } = this.#options;
    try {
      await job.run();
    } catch (error) {
      if (!stopping.aborted) {
        recordUnhandledError(error);
        await sleep(RETRY_AFTER, undefined, { signal: stopping }).catch(() => {});
      }
    }
    this.#jobs.delete(job.response.id);
    onFree();
  }
}

const lineOf = ({ owner, model }: ResponseSummary) => JSON.stringify([owner, model]);

function add(counts: Map<string, number>, response: ResponseSummary): void {
  const line = lineOf(response);
  counts.set(line, (counts.get(line) ?? 0) + 1);
}
