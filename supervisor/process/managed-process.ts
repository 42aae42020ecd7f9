import { recordUnhandledError } from '../../log/unhandled-errors.ts';
import type { Child, ChildExit } from './child.ts';
import { type ChildEvent, type ChildState, initialState, nextChildState } from './child-state.ts';
import { forgiveExits, type RestartPolicy } from './restart-policy.ts';

export interface ManagedProcessOptions {
  readonly start: () => Child;
  readonly policy: RestartPolicy;
  /** What an end that nobody asked for means for the child's life; left out, it is an end like any other. */
  readonly judge?: (end: ChildExit) => ChildEvent;
  readonly onStarted?: (child: Child) => unknown;
  /** Called for every end; the state tells what follows. */
  readonly onEnded: (end: ChildExit, state: ChildState) => void;
}

/** A child that is started again when it ends, until that is no longer wanted or worth trying. */
export interface ManagedProcess {
  readonly state: ChildState;
  /** The one that runs now. */
  readonly child: Child | undefined;
  readonly restarts: number;
  start(): void;
  /** Ends the child, by force after the grace, and starts another at once. Nothing happens where none is wanted any more. */
  replace(graceMs: number): void;
  /** Its last ends, so many, do not count towards giving up. */
  pardon(ends: number): void;
  /** No more restarts from here on; the child itself is still to be told. */
  letGo(): void;
}

export function superviseProcess({
  start,
  policy,
  judge,
  onStarted,
  onEnded,
}: ManagedProcessOptions): ManagedProcess {
  let state: ChildState = initialState;
  let child: Child | undefined;
  let starts = 0;
  let timer: NodeJS.Timeout | undefined;

  function begin(): void {
    if (state.phase !== 'replacing') starts += 1;
    const current = start();
    child = current;
    state = nextChildState(state, 'started', policy, performance.now());
    onStarted?.(current);
    current.ended.then(learnEnd).catch(recordUnhandledError);
  }

  function learnEnd(end: ChildExit): void {
    child = undefined;
    const event = (state.phase === 'running' ? judge?.(end) : undefined) ?? 'ended';
    state = nextChildState(state, event, policy, performance.now());
    if (state.phase === 'waiting') timer = setTimeout(begin, state.until - performance.now());
    try {
      onEnded(end, state);
    } finally {
      // Whoever is told may fail; the child is wanted all the same.
      if (state.phase === 'replacing') begin();
    }
  }

  return {
    get state() {
      return state;
    },
    get child() {
      return child;
    },
    get restarts() {
      return Math.max(0, starts - 1);
    },
    start: begin,
    replace(graceMs) {
      state = nextChildState(state, 'replace-wanted', policy, performance.now());
      if (state.phase !== 'replacing') return;
      clearTimeout(timer);
      if (!child) return begin();
      const current = child;
      current.signal('SIGTERM');
      const patience = setTimeout(() => current.kill(), graceMs);
      current.ended.then(() => clearTimeout(patience)).catch(recordUnhandledError);
    },
    pardon(ends) {
      state = { ...state, history: forgiveExits(state.history, ends) };
    },
    letGo() {
      clearTimeout(timer);
      state = nextChildState(state, 'stop-wanted', policy, performance.now());
    },
  };
}
