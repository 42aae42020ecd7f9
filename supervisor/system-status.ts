import type { BackendStatus } from '../health/backend.ts';
import type { ChildState } from './process/child-state.ts';

/** Everything that decides the status of an engine. */
export interface EngineState {
  readonly phase: ChildState['phase'];
  /** llama-server is about to be replaced, and finishes running requests. */
  readonly isReplacing: boolean;
  /** The status of the backend, by its probes. */
  readonly backend: BackendStatus;
}

export function engineStatus({ phase, isReplacing, backend }: EngineState): BackendStatus {
  if (phase === 'waiting' || phase === 'replacing') return 'restarting';
  return isReplacing && backend === 'ready' ? 'restarting' : backend;
}

/** Everything that decides the overall status. */
export interface SystemState {
  readonly stopping: boolean;
  readonly failed: boolean;
  /** Of all engines together. */
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
