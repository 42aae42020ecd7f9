import type { BackendStatus } from '../health/backend.ts';
import type { ChildState } from './process/child-state.ts';

/** Everything that decides the status of an engine. */
export interface EngineStatusInput {
  readonly phase: ChildState['phase'];
  /** llama-server is about to be replaced, and finishes running requests. */
  readonly isReplacing: boolean;
  /** The status of the backend, by its probes. */
  readonly backend: BackendStatus;
}

export function engineStatus({ phase, isReplacing, backend }: EngineStatusInput): BackendStatus {
  if (phase === 'waiting' || phase === 'replacing') return 'restarting';
  return isReplacing && backend === 'ready' ? 'restarting' : backend;
}

/** Everything that decides the overall status. */
export interface SystemState {
  readonly stopping: boolean;
  readonly failed: boolean;
  /** The status of all engines together. */
  readonly engines: BackendStatus;
  readonly gatewayUp: boolean;
  readonly everReady: boolean;
}

/** The overall status: ready only if requests are served. */
export function systemStatus({
  stopping,
  failed,
  engines,
  gatewayUp,
  everReady,
}: SystemState): BackendStatus {
  if (failed) return 'failed';
  if (stopping) return 'draining';
  if (engines === 'ready' && !gatewayUp) return everReady ? 'restarting' : 'loading';
  return engines;
}

/** From the best to the worst, as a client notices them. */
const byUse: readonly BackendStatus[] = ['ready', 'restarting', 'loading', 'starting'];

/** The status of a model by those of its engines: one that serves is enough. */
export function bestStatus(statuses: readonly (BackendStatus | 'unloaded')[]): BackendStatus {
  return (
    byUse.find((status) => statuses.includes(status)) ?? (statuses.includes('failed') ? 'failed' : 'starting')
  );
}

/** What a model contributes to the overall status. */
export interface ModelCondition {
  readonly backendStatus: BackendStatus;
  /** The deployment is ready only with it. */
  readonly isRequired: boolean;
  /** It has been ready since the start. */
  readonly wasReady: boolean;
}

/** The status of all models together: ready if all required ones are, or, if none is required, any is able to be. */
export function modelsStatus(models: readonly ModelCondition[]): BackendStatus {
  const required = models.filter(({ isRequired }) => isRequired);
  if (required.length === 0)
    return models.some(({ backendStatus }) => backendStatus !== 'failed') ? 'ready' : 'failed';
  const statuses = required.map(({ backendStatus, wasReady }) =>
    backendStatus === 'failed' ? (wasReady ? 'restarting' : 'loading') : backendStatus,
  );
  if (statuses.every((status) => status === 'ready')) return 'ready';
  if (statuses.includes('restarting')) return 'restarting';
  return statuses.every((status) => status === 'starting') ? 'starting' : 'loading';
}
