import {
  decideRestart,
  type ExitHistory,
  type ExitSummary,
  noExits,
  type RestartPolicy,
} from './restart-policy.ts';

/**
 * The life of a child.
 * idle: never started · running · waiting: exited, restarts at `until` · stopping: asked to stop · stopped: exited as
 * requested · given-up: exited and not restarted · replacing: another one starts as soon as it has exited; this exit
 * does not count as a crash.
 */
export type ChildState =
  | { readonly phase: 'idle'; readonly history: ExitHistory }
  | { readonly phase: 'running'; readonly since: number; readonly history: ExitHistory }
  | { readonly phase: 'waiting'; readonly until: number; readonly history: ExitHistory }
  | { readonly phase: 'stopping' | 'stopped' | 'given-up' | 'replacing'; readonly history: ExitHistory };

/**
 * `exited-fatally`: the next start would fail the same way. `loadFailure`: why it exited before it was ready.
 * `candidate-exited`: the next start uses other arguments.
 */
export type ChildEvent =
  | 'started'
  | 'stop-requested'
  | 'replace-requested'
  | 'exited'
  | 'exited-fatally'
  | 'candidate-exited'
  | { readonly loadFailure: string };

export const initialState: ChildState = { phase: 'idle', history: noExits };

/** The state after an event; `now` and all times are milliseconds of a monotonic clock. */
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
    case 'stop-requested':
      return { phase: hasProcess(phase) ? 'stopping' : 'stopped', history };
    case 'replace-requested':
      return phase === 'running' || phase === 'waiting' ? { phase: 'replacing', history } : state;
    default:
      if (phase === 'replacing') return state;
      if (phase !== 'running') return { phase: 'stopped', history };
      if (event === 'exited-fatally') return { phase: 'given-up', history };
      if (event === 'candidate-exited') return { phase: 'replacing', history };
      return afterCrash(state, { ranForMs: now - state.since, loadFailure }, policy, now);
  }
}

const hasProcess = (phase: ChildState['phase']) =>
  phase === 'running' || phase === 'replacing' || phase === 'stopping';

function afterCrash(
  { history }: ChildState,
  exit: ExitSummary,
  policy: RestartPolicy,
  now: number,
): ChildState {
  const decision = decideRestart(policy, history, exit, now);
  return decision.action === 'give-up'
    ? { phase: 'given-up', history: decision.history }
    : { phase: 'waiting', until: now + decision.delayMs, history: decision.history };
}
