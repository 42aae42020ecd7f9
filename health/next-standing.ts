import type { ProbeResult } from './probe.ts';
import type { Standing } from './standing.ts';

/** A backend as seen from its probes alone. */
export interface ProbedState {
  readonly standing: Extract<Standing, 'starting' | 'loading' | 'ready' | 'restarting'>;
  /** When the standing began, in milliseconds of the epoch. */
  readonly since: number;
  /** It has answered before, so silence means that it ended rather than that it has yet to come up. */
  readonly wasUp: boolean;
  /** Probes in a row that got no answer in time. */
  readonly missed: number;
}

/** A busy machine may miss a few probes; a backend that misses this many in a row serves nobody. */
export const toleratedMisses = 5;

export function firstState(now: number): ProbedState {
  return { standing: 'starting', since: now, wasUp: false, missed: 0 };
}

/** The state after one more probe. */
export function nextStanding(state: ProbedState, result: ProbeResult, now: number): ProbedState {
  const missed = result === 'deaf' ? state.missed + 1 : 0;
  const wasUp = state.wasUp || result === 'ready' || result === 'loading';
  const standing = standingAfter(state, result, missed);
  return { standing, since: standing === state.standing ? state.since : now, wasUp, missed };
}

function standingAfter(state: ProbedState, result: ProbeResult, missed: number): ProbedState['standing'] {
  if (result === 'ready' || result === 'loading') return result;
  if (result === 'unreachable') return state.wasUp ? 'restarting' : 'starting';
  return state.standing === 'ready' && missed > toleratedMisses ? 'restarting' : state.standing;
}
