import { afterEnd, type EndHistory, noEnds, type RestartPolicy } from './restart-policy.ts';

/**
 * Where a child stands in its life.
 * idle: never started · running · waiting: ended, to be started again at `until` · stopping: asked to end ·
 * stopped: ended as asked · given-up: ended, and will not be started again.
 */
export type ChildState =
  | { readonly phase: 'idle'; readonly history: EndHistory }
  | { readonly phase: 'running'; readonly since: number; readonly history: EndHistory }
  | { readonly phase: 'waiting'; readonly until: number; readonly history: EndHistory }
  | { readonly phase: 'stopping' | 'stopped' | 'given-up'; readonly history: EndHistory };

export type ChildEvent = 'started' | 'stop-wanted' | 'ended' | 'ended-for-good';

export const unborn: ChildState = { phase: 'idle', history: noEnds };

/** `ended-for-good` is an end of which is known that the next start would end the same way. */
export function nextChildState(
  state: ChildState,
  event: ChildEvent,
  policy: RestartPolicy,
  now: number,
): ChildState {
  const { phase, history } = state;
  switch (event) {
    case 'started':
      return { phase: 'running', since: now, history };
    case 'stop-wanted':
      return { phase: phase === 'running' || phase === 'stopping' ? 'stopping' : 'stopped', history };
    case 'ended-for-good':
      return { phase: phase === 'stopping' ? 'stopped' : 'given-up', history };
    case 'ended':
      return phase === 'running' ? afterUnwantedEnd(state, policy, now) : { phase: 'stopped', history };
  }
}

function afterUnwantedEnd(
  { since, history }: ChildState & { phase: 'running' },
  policy: RestartPolicy,
  now: number,
): ChildState {
  const verdict = afterEnd(policy, history, { ranForMs: now - since, now });
  return verdict.action === 'give-up'
    ? { phase: 'given-up', history: verdict.history }
    : { phase: 'waiting', until: now + verdict.delayMs, history: verdict.history };
}
