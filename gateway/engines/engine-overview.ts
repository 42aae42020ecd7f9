import type { BackendMonitor } from '../../health/backend-monitor.ts';
import type { ModelMetaCache } from '../models/model-list.ts';
import type { CapacityGate } from '../scheduler/capacity-gate.ts';
import type { Scheduler } from '../scheduler/scheduler.ts';

/** What probes, metrics and the dashboard show of the engines as a whole. The only engine is one by itself. */
export interface EngineOverview {
  readonly monitor: Pick<BackendMonitor, 'status' | 'since' | 'props' | 'keyRejected'>;
  readonly scheduler: Pick<Scheduler, 'counts' | 'granted' | 'outcomes' | 'waitingByWeight' | 'isDraining'>;
  readonly gate: Pick<CapacityGate, 'status'>;
  readonly modelMeta: Pick<ModelMetaCache, 'read'>;
}
