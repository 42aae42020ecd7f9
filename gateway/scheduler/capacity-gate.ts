import type { BackendMonitor } from '../../health/backend-monitor.ts';
import type { BackendStatus } from '../../health/backend-status.ts';
import { COUNTING_CONCURRENCY } from './counting-scheduler.ts';
import type { Scheduler } from './scheduler.ts';

export interface CapacityGateOptions {
  readonly scheduler: Scheduler;
  /** Of what needs no slot. */
  readonly countingScheduler: Scheduler;
  readonly watch: Pick<BackendMonitor, 'status' | 'props' | 'refresh'>;
  /** Undefined: as many as the backend has slots. */
  readonly maxConcurrent: number | undefined;
  /** Those of a router, which has none of its own. */
  readonly routerSlots?: () => number | undefined;
}

/** Lets requests go to the backend while it is ready and nobody holds them: keeps the capacity of the admission in step. */
export class CapacityGate {
  readonly #options: CapacityGateOptions;
  #held = false;

  constructor(options: CapacityGateOptions) {
    this.#options = options;
  }

  /** The backend's, as far as requests are concerned. */
  get status(): BackendStatus {
    const { status } = this.#options.watch;
    return this.#held && status === 'ready' ? 'restarting' : status;
  }

  /** The backend has changed. */
  updateCapacity(): void {
    const { scheduler, countingScheduler, watch, maxConcurrent, routerSlots } = this.#options;
    const isOpen = watch.status === 'ready' && !this.#held;
    scheduler.setCapacity(isOpen ? (maxConcurrent ?? watch.props?.slots ?? routerSlots?.() ?? 1) : 0);
    countingScheduler.setCapacity(isOpen ? COUNTING_CONCURRENCY : 0);
  }

  /** Nothing new goes to the backend; settles when nothing is there any more. */
  async pause(): Promise<void> {
    this.#held = true;
    this.updateCapacity();
    await Promise.all(this.#all.map((one) => one.whenIdle()));
  }

  /** Nothing new from here on: who waits is sent away. */
  drain(): void {
    for (const one of this.#all) one.drain();
  }

  /** Nobody waits any more, those included who would come again. */
  close(why: 'draining' | 'lost'): void {
    for (const one of this.#all) one.close(why);
  }

  get #all(): readonly Scheduler[] {
    return [this.#options.scheduler, this.#options.countingScheduler];
  }

  /** The backend may have become another one meanwhile. */
  async resume(): Promise<void> {
    if (!this.#held) return;
    this.#held = false;
    await this.#options.watch.refresh();
    this.updateCapacity();
  }
}
