import type { BackendStatus } from '../health/backend.ts';
import type { ChildState } from './process/child-state.ts';

/** Everything that decides the status. */
export interface SystemState {
  readonly stopping: boolean;
  readonly failed: boolean;
  /** llama-server is about to be replaced, and finishes running requests. */
  readonly replacing: boolean;
  readonly enginePhase: ChildState['phase'];
  /** The status of the backend, by its probes. */
  readonly backend: BackendStatus;
  readonly gatewayUp: boolean;
  readonly everReady: boolean;
}

/** The overall status: ready only if requests are served. */
export function systemStatus(state: SystemState): BackendStatus {
  if (state.failed) return 'failed';
  if (state.stopping) return 'draining';
  if (state.enginePhase === 'waiting' || state.enginePhase === 'replacing') return 'restarting';
  if (state.replacing && state.backend === 'ready') return 'restarting';
  if (state.backend === 'ready' && !state.gatewayUp) return state.everReady ? 'restarting' : 'loading';
  return state.backend;
}
