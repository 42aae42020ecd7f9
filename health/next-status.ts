import type { BackendStatus } from './backend-status.ts';
import type { ProbeResult } from './probe.ts';

/** A backend as seen from its probes alone. */
export interface ProbedState {
  readonly status: Extract<BackendStatus, 'starting' | 'loading' | 'ready' | 'restarting'>;
  /** When the standing began, in milliseconds of the epoch. */
  readonly since: number;
  /** It has answered before, so silence means that it ended rather than that it has yet to come up. */
  readonly wasUp: boolean;
  /** Probes in a row that got no answer in time. */
  readonly missed: number;
}

/** A busy machine may miss a few probes; a backend that misses this many in a row serves nobody. */
export const maxMissedProbes = 5;

export function initialProbedState(now: number): ProbedState {
  return { status: 'starting', since: now, wasUp: false, missed: 0 };
}

/** The state after one more probe. */
export function nextStatus(state: ProbedState, result: ProbeResult, now: number): ProbedState {
  const missed = result === 'deaf' ? state.missed + 1 : 0;
  const wasUp = state.wasUp || result === 'ready' || result === 'loading';
  const standing = standingAfter(state, result, missed);
  return { status: standing, since: standing === state.status ? state.since : now, wasUp, missed };
}

function standingAfter(state: ProbedState, result: ProbeResult, missed: number): ProbedState['status'] {
  if (result === 'ready' || result === 'loading') return result;
  if (result === 'unreachable') return state.wasUp ? 'restarting' : 'starting';
  return state.status === 'ready' && missed > maxMissedProbes ? 'restarting' : state.status;
}
