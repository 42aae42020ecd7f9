import type { BackendStatus } from '../../health/backend.ts';
import type { BackendMonitor } from '../../health/backend-monitor.ts';
import { COUNTING_CONCURRENCY } from './counting-scheduler.ts';
import type { Scheduler } from './scheduler.ts';

export interface CapacityGateOptions {
  readonly scheduler: Scheduler;
  /** For requests that need no slot. */
  readonly countingScheduler: Scheduler;
  readonly monitor: Pick<BackendMonitor, 'status' | 'props' | 'refresh'>;
  /** Whether the supervisor has found the backend ready, too. Asked while the backend is. */
  readonly isConfirmed?: () => boolean;
  /** Undefined: as many as the backend has slots. */
  readonly maxConcurrent: () => number | undefined;
  /** The slots of a llama-server router, which has none of its own. */
  readonly routerSlots?: () => number | undefined;
}

/** Lets requests go to the backend while it is ready and not paused: sets the capacity of both schedulers. */
export class CapacityGate {
  readonly #options: CapacityGateOptions;
  #isPaused = false;

  constructor(options: CapacityGateOptions) {
    this.#options = options;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** The status of the backend; `restarting` while the gate is paused, `loading` until the supervisor finds it ready, too. */
  get status(): BackendStatus {
    const { status } = this.#options.monitor;
    if (status !== 'ready') return status;
    if (this.#isPaused) return 'restarting';
    return this.#isConfirmed ? 'ready' : 'loading';
  }

  /** To be called when the backend has changed. */
  updateCapacity(): void {
    const { scheduler, countingScheduler, monitor, maxConcurrent, routerSlots } = this.#options;
    const isOpen = this.status === 'ready';
    scheduler.setCapacity(isOpen ? (maxConcurrent() ?? monitor.props?.slots ?? routerSlots?.() ?? 1) : 0);
    countingScheduler.setCapacity(isOpen ? COUNTING_CONCURRENCY : 0);
  }

  /** Sends nothing new to the backend. Resolves when no request is there any more. */
  async pause(): Promise<void> {
    this.#isPaused = true;
    this.updateCapacity();
    this.#options.scheduler.preemptBatches();
    await Promise.all(this.#schedulers.map((scheduler) => scheduler.whenIdle()));
  }

  /** The backend may be another one than before the pause. */
  async resume(): Promise<void> {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    await this.#options.monitor.refresh();
    this.updateCapacity();
  }

  /** Rejects new and waiting requests, but for those that lost their lease with the engine. */
  drain(): void {
    for (const scheduler of this.#schedulers) scheduler.drain();
  }

  /** Rejects all new and waiting requests. */
  close(reason: 'draining' | 'lost'): void {
    for (const scheduler of this.#schedulers) scheduler.close(reason);
  }

  /** The engine may come back after all. */
  reopen(): void {
    for (const scheduler of this.#schedulers) scheduler.reopen();
  }

  get #isConfirmed(): boolean {
    return this.#options.isConfirmed?.() ?? true;
  }

  get #schedulers(): readonly Scheduler[] {
    return [this.#options.scheduler, this.#options.countingScheduler];
  }
}
