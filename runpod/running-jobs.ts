import { recordUnhandledError } from '../log/unhandled-errors.ts';

/** Why a job is aborted: RunPod cancelled it, or this worker has to stop. */
export class JobStopped extends Error {
  override readonly name = 'JobStopped';
  readonly by: 'queue' | 'worker';

  constructor(by: JobStopped['by']) {
    super(by === 'queue' ? 'the job was cancelled' : 'this worker stopped before the job was finished');
    this.by = by;
  }
}

interface RunningJob {
  readonly controller: AbortController;
  readonly ended: Promise<void>;
}

/** The running jobs, until RunPod has their results. */
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

  /** Lists a job until its work has ended. The signal is aborted with a JobStopped. */
  add(id: string, work: (signal: AbortSignal) => Promise<void>): void {
    const controller = new AbortController();
    const ended = work(controller.signal)
      .catch(recordUnhandledError)
      .finally(() => this.#all.delete(id));
    this.#all.set(id, { controller, ended });
    this.#arrival.resolve();
    this.#arrival = Promise.withResolvers<void>();
  }

  /** Aborts a job, if it is running, because the queue cancelled it. */
  cancel(id: string): void {
    this.#all.get(id)?.controller.abort(new JobStopped('queue'));
  }

  abortAll(): void {
    for (const { controller } of this.#all.values()) controller.abort(new JobStopped('worker'));
  }

  /** Resolves when there is a running job. */
  async any(): Promise<void> {
    if (this.#all.size === 0) await this.#arrival.promise;
  }

  /** Resolves when one of the running jobs has ended. */
  async oneEnded(): Promise<void> {
    await Promise.race([...this.#all.values()].map(({ ended }) => ended));
  }

  async allEnded(): Promise<void> {
    while (this.#all.size > 0) await this.oneEnded();
  }
}
