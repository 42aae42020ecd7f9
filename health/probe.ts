import type { Backend, BackendStatus } from './backend.ts';
import { requestBackend } from './request-backend.ts';

/**
 * The result of one probe.
 * unreachable: nothing listens, or it is no llama-server · loading: bound, the model is not loaded yet · ready: it serves ·
 * timed-out: something holds the address but does not respond in time.
 */
export type ProbeResult = 'unreachable' | 'loading' | 'ready' | 'timed-out';

/** Requests `/health` once; never throws. It needs no key and does not pass through llama-server's task queue. */
export async function probe(backend: Backend, timeoutMs = 1000): Promise<ProbeResult> {
  const response = await requestBackend(backend, { path: '/health', timeoutMs });
  if (response.outcome !== 'responded') return response.outcome;
  if (response.status === 200) return 'ready';
  return response.status === 503 ? 'loading' : 'unreachable';
}

/** A backend as seen from its probes alone. */
export interface ProbedState {
  readonly status: Extract<BackendStatus, 'starting' | 'loading' | 'ready' | 'restarting'>;
  /** When the status began, in milliseconds of the epoch. */
  readonly since: number;
  /** It has responded before, so silence means that it has exited rather than that it has not started yet. */
  readonly wasUp: boolean;
  /** Probes in a row that timed out. */
  readonly missed: number;
}

/** A busy machine may miss a few probes. A backend that misses more in a row is down. */
export const maxMissedProbes = 5;

export function initialProbedState(now: number): ProbedState {
  return { status: 'starting', since: now, wasUp: false, missed: 0 };
}

/** The state after one more probe. */
export function nextStatus(state: ProbedState, result: ProbeResult, now: number): ProbedState {
  const missed = result === 'timed-out' ? state.missed + 1 : 0;
  const wasUp = state.wasUp || result === 'ready' || result === 'loading';
  const status = statusAfter(state, result, missed);
  return { status, since: status === state.status ? state.since : now, wasUp, missed };
}

function statusAfter(state: ProbedState, result: ProbeResult, missed: number): ProbedState['status'] {
  if (result === 'ready' || result === 'loading') return result;
  if (result === 'unreachable') return state.wasUp ? 'restarting' : 'starting';
  return state.status === 'ready' && missed > maxMissedProbes ? 'restarting' : state.status;
}
