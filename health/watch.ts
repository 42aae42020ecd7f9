import type { Backend } from './backend.ts';
import { type BackendFacts, readFacts } from './facts.ts';
import { firstState, nextStanding, type ProbedState } from './next-standing.ts';
import { probe } from './probe.ts';
import type { Standing } from './standing.ts';

export interface WatchOptions {
  /** Called after each change of standing, when the facts of a backend that became ready are known. */
  readonly onChange?: (standing: Standing, watch: BackendWatch) => void;
  readonly intervalWhileStartingMs?: number;
  readonly intervalWhileReadyMs?: number;
  readonly probeTimeoutMs?: number;
  /** Whether to ask at every look if it sleeps, which costs a further question; else its facts are read once. */
  readonly followSleep?: () => boolean;
}

/** What is known of a backend right now, kept up to date by probes until closed. */
export interface BackendWatch {
  readonly standing: Standing;
  /** When the standing began, in milliseconds of the epoch. */
  readonly since: number;
  /** What the backend last said of itself; kept while it restarts. */
  readonly facts: BackendFacts | undefined;
  /** The backend is up and does not take our key. */
  readonly keyRefused: boolean;
  /** The traffic or the process tells that something has changed: look now rather than at the next interval. */
  nudge(): void;
  /** Its process has ended: what answers from now on is another one. */
  lost(): void;
  /** Looks now; settles when what was seen is known here. */
  look(): Promise<void>;
  /** As `look`, with its facts read anew: another model may stand behind the same address. */
  relearn(): Promise<void>;
  close(): void;
}

/** Probes a backend at once and from then on: often while it comes up, seldom while it serves. */
export function watchBackend(backend: Backend, options: WatchOptions = {}): BackendWatch {
  const { intervalWhileStartingMs = 100, intervalWhileReadyMs = 1000, probeTimeoutMs = 1000 } = options;
  const { followSleep = () => false } = options;
  let state: ProbedState = firstState(Date.now());
  let facts: BackendFacts | undefined;
  let keyRefused = false;
  let closed = false;
  /** How often the process has changed; what was seen of an earlier one does not count. */
  let lives = 0;
  let doubted = false;
  let nudged = false;
  let looking = false;
  let underWay: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;

  async function look(): Promise<void> {
    looking = true;
    nudged = false;
    clearTimeout(timer);
    const life = lives;
    const next = nextStanding(state, await probe(backend, probeTimeoutMs), Date.now());
    const factsAreOld = state.standing !== 'ready' || facts === undefined || doubted || followSleep();
    if (next.standing === 'ready' && factsAreOld) await learnFacts();
    looking = false;
    if (closed) return;
    if (life === lives) adopt(next);
    schedule();
  }

  async function learnFacts(): Promise<void> {
    const reading = await readFacts(backend);
    keyRefused = reading === 'key-refused';
    if (typeof reading === 'string') return;
    facts = reading;
    doubted = false;
  }

  function adopt(next: ProbedState): void {
    const changed = next.standing !== state.standing;
    state = next;
    if (changed) options.onChange?.(state.standing, watch);
  }

  function schedule(): void {
    if (closed) return;
    const interval = state.standing === 'ready' ? intervalWhileReadyMs : intervalWhileStartingMs;
    timer = setTimeout(begin, nudged ? 0 : interval);
  }

  function begin(): Promise<void> {
    if (!looking) underWay = look();
    return underWay;
  }

  const watch: BackendWatch = {
    get standing() {
      return state.standing;
    },
    get since() {
      return state.since;
    },
    get facts() {
      return facts;
    },
    get keyRefused() {
      return keyRefused;
    },
    nudge() {
      nudged = true;
      if (!looking && !closed) begin();
    },
    lost() {
      lives += 1;
      adopt(nextStanding(state, 'unreachable', Date.now()));
      watch.nudge();
    },
    async look() {
      // One that is under way may have begun before what its caller has seen.
      if (looking) await underWay;
      if (!closed) await begin();
    },
    async relearn() {
      if (looking) await underWay;
      doubted = true;
      if (!closed) await begin();
    },
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
  begin();
  return watch;
}
