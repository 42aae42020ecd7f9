import { recordUnhandledError } from '../log/unhandled-errors.ts';
import { JobStopped } from './job-stopped.ts';

interface RunningJob {
  readonly controller: AbortController;
  readonly ended: Promise<void>;
}

/** The jobs at work, until RunPod has their results: the one owner of that list. */
export class RunningJobs {
  readonly #all = new Map<string, RunningJob>();
  #arrival = Promise.withResolvers<void>();

  get count(): number {
    return this.#all.size;
  }

  get ids(): readonly string[] {
    return [...this.#all.keys()];
  }

  has(id: string): boolean {
    return this.#all.has(id);
  }

  /** Lists a job until the work on it has settled. The work's signal is aborted with a JobStopped. */
  add(id: string, work: (signal: AbortSignal) => Promise<void>): void {
    const controller = new AbortController();
    const ended = work(controller.signal)
      .catch(recordUnhandledError)
      .finally(() => this.#all.delete(id));
    this.#all.set(id, { controller, ended });
    this.#arrival.resolve();
    this.#arrival = Promise.withResolvers<void>();
  }

  /** Ends a job, if it is at work, because its queue wants it no more. */
  cancel(id: string): void {
    this.#all.get(id)?.controller.abort(new JobStopped('queue'));
  }

  endAll(): void {
    for (const { controller } of this.#all.values()) controller.abort(new JobStopped('worker'));
  }

  /** Settles when there is one. */
  async any(): Promise<void> {
    if (this.#all.size === 0) await this.#arrival.promise;
  }

  /** Settles when one has ended. */
  async oneEnded(): Promise<void> {
    await Promise.race([...this.#all.values()].map(({ ended }) => ended));
  }

  async allEnded(): Promise<void> {
    while (this.#all.size > 0) await this.oneEnded();
  }
}
