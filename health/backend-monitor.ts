import { isDeepStrictEqual } from 'node:util';
import type { Backend, BackendStatus } from './backend.ts';
import { initialProbedState, nextStatus, type ProbedState, probe } from './probe.ts';
import { type BackendProps, type PropsResult, readProps } from './props.ts';

export interface BackendMonitorOptions {
  /** Called after each change of standing, when the facts of a backend that became ready are known, or cannot be had. */
  readonly onChange?: (standing: BackendStatus, watch: BackendMonitor) => void;
  /** Called when what the backend says of itself has changed and its standing has not; its sleep is not told. */
  readonly onPropsChange?: (watch: BackendMonitor) => void;
  readonly intervalWhileStartingMs?: number;
  readonly intervalWhileReadyMs?: number;
  readonly probeTimeoutMs?: number;
  readonly propsTimeoutMs?: number;
  /** How long facts hold: another process may have taken the address between two looks. */
  readonly propsMaxAgeMs?: number;
  /** Whether to ask at every look if it sleeps, which costs a further question. */
  readonly followSleep?: () => boolean;
}

/** What is known of a backend right now, kept up to date by probes until closed. */
export interface BackendMonitor {
  readonly status: BackendStatus;
  /** When the standing began, in milliseconds of the epoch. */
  readonly since: number;
  /** What the backend last said of itself; kept while it restarts, until it is ready again. */
  readonly props: BackendProps | undefined;
  /** It serves no model itself, and so has no facts. */
  readonly isRouter: boolean;
  /** The backend is up and does not take our key. */
  readonly keyRejected: boolean;
  /** The traffic or the process tells that something has changed: look now rather than at the next interval. */
  probeNow(): void;
  /** Its process has ended: what answers from now on is another one. */
  markDown(): void;
  /** Looks now; settles when what was seen is known here. */
  probe(): Promise<void>;
  /** As `look`, with its facts read anew: another model may stand behind the same address. */
  refresh(): Promise<void>;
  close(): void;
}

/** What the backend has said of itself, or why that is not known. */
type Knowledge = Exclude<PropsResult, 'unreadable'> | undefined;

/** Probes a backend at once and from then on: often while it comes up, seldom while it serves. */
export function monitorBackend(backend: Backend, options: BackendMonitorOptions = {}): BackendMonitor {
  const { intervalWhileStartingMs = 100, intervalWhileReadyMs = 1000, probeTimeoutMs = 1000 } = options;
  const { propsTimeoutMs = 2000, propsMaxAgeMs = 5000, followSleep = () => false } = options;
  let state: ProbedState = initialProbedState(Date.now());
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
    const next = nextStatus(state, await probe(backend, probeTimeoutMs), Date.now());
    if (next.status === 'ready' && state.status !== 'ready') trust = 'void';
    const learned = next.status === 'ready' && isDue() ? await readAnew() : known;
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
      performance.now() - readAt >= propsMaxAgeMs
    );
  }

  async function readAnew(): Promise<Knowledge> {
    const before = trust;
    // Whoever doubts while the answer is on its way doubts that answer, too.
    trust = 'sure';
    const reading = await readProps(backend, propsTimeoutMs);
    if (reading !== 'unreadable') {
      readAt = performance.now();
      return reading;
    }
    if (trust === 'sure') trust = before;
    return before === 'void' ? undefined : known;
  }

  function adopt(next: ProbedState, learned: Knowledge): void {
    const changed = next.status !== state.status;
    const toldAnew = !isDeepStrictEqual(awake(learned), awake(known));
    state = next;
    known = learned;
    if (changed) options.onChange?.(state.status, watch);
    else if (toldAnew) options.onPropsChange?.(watch);
  }

  function doubt(): void {
    if (trust === 'sure') trust = 'doubted';
  }

  function schedule(): void {
    if (closed) return;
    const interval = state.status === 'ready' ? intervalWhileReadyMs : intervalWhileStartingMs;
    timer = setTimeout(begin, nudged ? 0 : interval);
  }

  function begin(): Promise<void> {
    if (!looking) underWay = look();
    return underWay;
  }

  const watch: BackendMonitor = {
    get status() {
      return state.status;
    },
    get since() {
      return state.since;
    },
    get props() {
      return typeof known === 'object' ? known : undefined;
    },
    get isRouter() {
      return known === 'router';
    },
    get keyRejected() {
      return known === 'key-rejected';
    },
    probeNow() {
      nudged = true;
      doubt();
      if (!looking && !closed) begin();
    },
    markDown() {
      lives += 1;
      trust = 'void';
      adopt(nextStatus(state, 'unreachable', Date.now()), known);
      watch.probeNow();
    },
    async probe() {
      // One that is under way may have begun before what its caller has seen.
      if (looking) await underWay;
      if (!closed) await begin();
    },
    async refresh() {
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
