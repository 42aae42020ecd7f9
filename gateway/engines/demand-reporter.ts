import { isDeepStrictEqual } from 'node:util';
import type { DemandMessage, ModelDemand } from '../../health/supervisor-messages.ts';
import type { ModelServices } from './model-services.ts';

type Demand = Omit<DemandMessage, 'kind'>;

const INTERVAL_MS = 500;

/** Reports to the supervisor which models are asked for: after each change, but at most every half second. */
export class DemandReporter implements Disposable {
  readonly #read: () => Demand;
  readonly #send: (demand: Demand) => void;
  #sent: readonly unknown[] = [];
  #timer: NodeJS.Timeout | undefined;
  #isScheduled = false;
  #isDue = false;

  constructor(read: () => Demand, send: (demand: Demand) => void) {
    this.#read = read;
    this.#send = send;
  }

  /** The demand may have changed. Cheap enough to be called for each request. */
  readonly notify = (): void => {
    if (this.#timer !== undefined) {
      this.#isDue = true;
      return;
    }
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(this.#report);
  };

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  #report = (): void => {
    this.#isScheduled = false;
    this.#isDue = false;
    this.#timer = setTimeout(this.#onTimer, INTERVAL_MS).unref();
    const demand = this.#read();
    const changes = withoutTimes(demand);
    if (isDeepStrictEqual(changes, this.#sent)) return;
    this.#sent = changes;
    this.#send(demand);
  };

  #onTimer = (): void => {
    this.#timer = undefined;
    if (this.#isDue) this.#report();
  };
}

/** Waiting longer is no change. */
function withoutTimes({ models, leases }: Demand): readonly unknown[] {
  return [Object.entries(models).map(([id, { waiting, lineLeases }]) => [id, waiting, lineLeases]), leases];
}

/** What requests need now, for the supervisor's placement of models. */
export function readDemand(models: Iterable<ModelServices>): Demand {
  const now = performance.now();
  const demand: Record<string, ModelDemand> = {};
  const leases: Record<string, number> = {};
  for (const { id: model, engines } of models) {
    const schedulers = engines.flatMap(({ scheduler, countingScheduler }) => [scheduler, countingScheduler]);
    const since = schedulers.flatMap(({ oldestSince }) => oldestSince ?? []);
    const waiting = engines.reduce((sum, { scheduler }) => sum + scheduler.counts.waiting, 0);
    const oldestWaitMs = now - Math.min(now, ...since);
    const lineLeases = engines.reduce((sum, { scheduler }) => sum + scheduler.batches.leased, 0);
    const hasLines = lineLeases > 0 || engines.some(({ scheduler }) => scheduler.batches.waiting > 0);
    if (hasLines) demand[model] = { waiting, oldestWaitMs: waiting > 0 ? oldestWaitMs : 0, lineLeases };
    else if (waiting > 0) demand[model] = { waiting, oldestWaitMs };
    for (const { id, leases: out } of engines) if (id !== undefined && out > 0) leases[id] = out;
  }
  return { models: demand, leases };
}
