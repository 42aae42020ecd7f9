import {
  decideRestart,
  type ExitHistory,
  type ExitSummary,
  noExits,
  type RestartPolicy,
} from './restart-policy.ts';

/**
 * Where a child stands in its life.
 * idle: never started · running · waiting: ended, to be started again at `until` · stopping: asked to end ·
 * stopped: ended as asked · given-up: ended, and will not be started again · replacing: another one is started as soon as
 * it has ended, which counts for nothing.
 */
export type ChildState =
  | { readonly phase: 'idle'; readonly history: ExitHistory }
  | { readonly phase: 'running'; readonly since: number; readonly history: ExitHistory }
  | { readonly phase: 'waiting'; readonly until: number; readonly history: ExitHistory }
  | { readonly phase: 'stopping' | 'stopped' | 'given-up' | 'replacing'; readonly history: ExitHistory };

/**
 * `ended-for-good`: the next start would end the same way. `loadFailure`: why it ended before it was ready.
 * `ended-on-trial`: the next start will be another one.
 */
export type ChildEvent =
  | 'started'
  | 'stop-wanted'
  | 'replace-wanted'
  | 'ended'
  | 'ended-for-good'
  | 'ended-on-trial'
  | { readonly loadFailure: string };

export const initialState: ChildState = { phase: 'idle', history: noExits };

/** The state after an event; `now` and all times are milliseconds of a clock that never jumps. */
export function nextChildState(
  state: ChildState,
  event: ChildEvent,
  policy: RestartPolicy,
  now: number,
): ChildState {
  const { phase, history } = state;
  const loadFailure = typeof event === 'object' ? event.loadFailure : undefined;
  switch (event) {
    case 'started':
      return { phase: 'running', since: now, history };
    case 'stop-wanted':
      return { phase: hasChild(phase) ? 'stopping' : 'stopped', history };
    case 'replace-wanted':
      return phase === 'running' || phase === 'waiting' ? { phase: 'replacing', history } : state;
    default:
      if (phase === 'replacing') return state;
      if (phase !== 'running') return { phase: 'stopped', history };
      if (event === 'ended-for-good') return { phase: 'given-up', history };
      if (event === 'ended-on-trial') return { phase: 'replacing', history };
      return afterUnwantedEnd(state, { ranForMs: now - state.since, loadFailure }, policy, now);
  }
}

const hasChild = (phase: ChildState['phase']) =>
  phase === 'running' || phase === 'replacing' || phase === 'stopping';

function afterUnwantedEnd(
  { history }: ChildState,
  end: ExitSummary,
  policy: RestartPolicy,
  now: number,
): ChildState {
  const verdict = decideRestart(policy, history, end, now);
  return verdict.action === 'give-up'
    ? { phase: 'given-up', history: verdict.history }
    : { phase: 'waiting', until: now + verdict.delayMs, history: verdict.history };
}
