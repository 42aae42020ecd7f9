import { isDeepStrictEqual } from 'node:util';
import type { Backend } from './backend.ts';
import { type BackendFacts, type FactsReading, readFacts } from './facts.ts';
import { firstState, nextStanding, type ProbedState } from './next-standing.ts';
import { probe } from './probe.ts';
import type { Standing } from './standing.ts';

export interface WatchOptions {
  /** Called after each change of standing, when the facts of a backend that became ready are known, or cannot be had. */
  readonly onChange?: (standing: Standing, watch: BackendWatch) => void;
  /** Called when what the backend says of itself has changed and its standing has not; its sleep is not told. */
  readonly onFactsChange?: (watch: BackendWatch) => void;
  readonly intervalWhileStartingMs?: number;
  readonly intervalWhileReadyMs?: number;
  readonly probeTimeoutMs?: number;
  readonly propsTimeoutMs?: number;
  /** How long facts hold: another process may have taken the address between two looks. */
  readonly factsHoldMs?: number;
  /** Whether to ask at every look if it sleeps, which costs a further question. */
  readonly followSleep?: () => boolean;
}

/** What is known of a backend right now, kept up to date by probes until closed. */
export interface BackendWatch {
  readonly standing: Standing;
  /** When the standing began, in milliseconds of the epoch. */
  readonly since: number;
  /** What the backend last said of itself; kept while it restarts, until it is ready again. */
  readonly facts: BackendFacts | undefined;
  /** It serves no model itself, and so has no facts. */
  readonly isRouter: boolean;
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

/** What the backend has said of itself, or why that is not known. */
type Knowledge = Exclude<FactsReading, 'unreadable'> | undefined;

/** Probes a backend at once and from then on: often while it comes up, seldom while it serves. */
export function watchBackend(backend: Backend, options: WatchOptions = {}): BackendWatch {
  const { intervalWhileStartingMs = 100, intervalWhileReadyMs = 1000, probeTimeoutMs = 1000 } = options;
  const { propsTimeoutMs = 2000, factsHoldMs = 5000, followSleep = () => false } = options;
  let state: ProbedState = firstState(Date.now());
  let known: Knowledge;
  /** When it was last read, of a clock that never runs backwards. */
  let readAt = Number.NEGATIVE_INFINITY;
  let closed = false;
  /** How often the process has changed; what was seen of an earlier one does not count. */
  let lives = 0;
  /** sure: as read · doubted: may have changed, and holds until it is read again · void: of a process that is gone. */
  let trust: 'sure' | 'doubted' | 'void' = 'void';
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
    if (next.standing === 'ready' && state.standing !== 'ready') trust = 'void';
    const learned = next.standing === 'ready' && isDue() ? await readAnew() : known;
    looking = false;
    if (closed) return;
    try {
      if (life === lives) adopt(next, learned);
    } finally {
      // Whoever is told may fail; we go on looking.
      schedule();
    }
  }

  function isDue(): boolean {
    return (
      trust !== 'sure' ||
      typeof known !== 'object' ||
      followSleep() ||
      performance.now() - readAt >= factsHoldMs
    );
  }

  async function readAnew(): Promise<Knowledge> {
    const before = trust;
    // Whoever doubts while the answer is on its way doubts that answer, too.
    trust = 'sure';
    const reading = await readFacts(backend, propsTimeoutMs);
    if (reading !== 'unreadable') {
      readAt = performance.now();
      return reading;
    }
    if (trust === 'sure') trust = before;
    return before === 'void' ? undefined : known;
  }

  function adopt(next: ProbedState, learned: Knowledge): void {
    const changed = next.standing !== state.standing;
    const toldAnew = !isDeepStrictEqual(awake(learned), awake(known));
    state = next;
    known = learned;
    if (changed) options.onChange?.(state.standing, watch);
    else if (toldAnew) options.onFactsChange?.(watch);
  }

  function doubt(): void {
    if (trust === 'sure') trust = 'doubted';
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
      return typeof known === 'object' ? known : undefined;
    },
    get isRouter() {
      return known === 'router';
    },
    get keyRefused() {
      return known === 'key-refused';
    },
    nudge() {
      nudged = true;
      doubt();
      if (!looking && !closed) begin();
    },
    lost() {
      lives += 1;
      trust = 'void';
      adopt(nextStanding(state, 'unreachable', Date.now()), known);
      watch.nudge();
    },
    async look() {
      // One that is under way may have begun before what its caller has seen.
      if (looking) await underWay;
      if (!closed) await begin();
    },
    async relearn() {
      if (looking) await underWay;
      trust = 'void';
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

/** Sleep comes and goes, and changes nothing that others have to follow. */
function awake(known: Knowledge): Knowledge {
  return typeof known === 'object' ? { ...known, sleeping: false } : known;
}
