import type { BackendStatus } from '../health/backend.ts';
import type { ChildState } from './process/child-state.ts';

/** All that decides what the health server says. */
export interface SystemState {
  readonly stopping: boolean;
  readonly failed: boolean;
  /** llama-server is on its way out, to be started anew: it finishes what runs. */
  readonly replacing: boolean;
  readonly enginePhase: ChildState['phase'];
  /** The backend as its probes see it. */
  readonly backend: BackendStatus;
  readonly gatewayUp: boolean;
  readonly everReady: boolean;
}

/** The standing of the whole: ready only where a request would be answered. */
export function systemStatus(house: SystemState): BackendStatus {
  if (house.failed) return 'failed';
  if (house.stopping) return 'draining';
  if (house.enginePhase === 'waiting' || house.enginePhase === 'replacing') return 'restarting';
  if (house.replacing && house.backend === 'ready') return 'restarting';
  if (house.backend === 'ready' && !house.gatewayUp) return house.everReady ? 'restarting' : 'loading';
  return house.backend;
}
