import type { BackendStatus } from '../../health/backend.ts';
import type { BackendMonitor } from '../../health/backend-monitor.ts';
import type { ModelMetaCache } from '../models/model-list.ts';
import type { CapacityGate } from '../scheduler/capacity-gate.ts';
import type { QueueCounts } from '../scheduler/fair-queue.ts';
import type { Scheduler } from '../scheduler/scheduler.ts';
import type { EngineServices } from './engine-services.ts';
import type { ModelServices } from './model-services.ts';

/** What probes, metrics and the dashboard show of the engines as a whole. The only engine is one by itself. */
export interface EngineOverview {
  readonly monitor: Pick<BackendMonitor, 'status' | 'since' | 'props' | 'keyRejected'>;
  readonly scheduler: Pick<
    Scheduler,
    'counts' | 'batches' | 'granted' | 'outcomes' | 'waitingByWeight' | 'isDraining' | 'updateKey'
  >;
  readonly gate: Pick<CapacityGate, 'status'>;
  readonly modelMeta: Pick<ModelMetaCache, 'read'>;
}

/** The engines of several models as a whole: slots and lines are sums, the status is that of the pinned models. */
export class ModelsOverview implements EngineOverview {
  readonly monitor: EngineOverview['monitor'];
  readonly scheduler: EngineOverview['scheduler'];
  readonly gate: EngineOverview['gate'];
  readonly modelMeta: EngineOverview['modelMeta'];

  /** `models` is called whenever something is read. */
  constructor(models: () => readonly ModelServices[]) {
    const startedAt = Date.now();
    const engines = () => models().flatMap((model) => model.engines);
    const main = () => engines().find(({ isOpen }) => isOpen);
    const status = () => statusOf(models());
    this.monitor = {
      get status() {
        return status();
      },
      get since() {
        return Math.max(startedAt, ...engines().map(({ monitor }) => monitor.since));
      },
      get props() {
        return main()?.monitor.props;
      },
      get keyRejected() {
        return engines().some(({ monitor }) => monitor.keyRejected);
      },
    };
    this.gate = this.monitor;
    this.scheduler = sumOf(engines);
    this.modelMeta = { read: async () => main()?.modelMeta.read() };
  }
}

/** Ready if all pinned models serve; without one, if there is a model that can be loaded. */
function statusOf(models: readonly ModelServices[]): BackendStatus {
  const pinned = models.filter(({ state }) => state.pin && !state.removed);
  if (models.length === 0) return 'starting';
  if (pinned.length === 0) return models.every(({ failure }) => failure !== undefined) ? 'failed' : 'ready';
  if (pinned.some(({ failure }) => failure !== undefined)) return 'failed';
  return pinned.every(({ engines }) => engines.some(({ isOpen }) => isOpen)) ? 'ready' : 'loading';
}

type Outcomes = Scheduler['outcomes'];

function sumOf(engines: () => readonly EngineServices[]): EngineOverview['scheduler'] {
  const schedulers = () => engines().map(({ scheduler }) => scheduler);
  return {
    get counts() {
      return schedulers().reduce((sum, { counts }) => addRecords(sum, counts), noCounts);
    },
    get batches() {
      return schedulers().reduce((sum, { batches }) => addRecords(sum, batches), noCounts);
    },
    get granted() {
      return schedulers().reduce((sum, { granted }) => sum + granted, 0);
    },
    get outcomes(): Outcomes {
      return sumByWeight(
        schedulers().map(({ outcomes }) => outcomes),
        addRecords,
      );
    },
    get waitingByWeight() {
      return sumByWeight(
        schedulers().map(({ waitingByWeight }) => waitingByWeight),
        (a, b) => a + b,
      );
    },
    get isDraining() {
      return schedulers().some(({ isDraining }) => isDraining);
    },
    updateKey(key) {
      for (const scheduler of schedulers()) scheduler.updateKey(key);
    },
  };
}

const noCounts: QueueCounts = { capacity: 0, leased: 0, waiting: 0 };

function addRecords<T extends { readonly [name in keyof T]: number }>(a: T, b: T): T {
  return Object.fromEntries(
    Object.entries(a).map(([name, value]) => [name, Number(value) + b[name as keyof T]]),
  ) as T;
}

function sumByWeight<V>(maps: readonly ReadonlyMap<number, V>[], add: (a: V, b: V) => V): Map<number, V> {
  const sum = new Map<number, V>();
  for (const map of maps)
    for (const [weight, value] of map) {
      const before = sum.get(weight);
      sum.set(weight, before === undefined ? value : add(before, value));
    }
  return sum;
}
