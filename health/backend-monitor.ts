import { isDeepStrictEqual } from 'node:util';
import type { Backend, BackendStatus } from './backend.ts';
import { initialProbedState, maxMissedProbes, nextStatus, type ProbedState, probe } from './probe.ts';
import { type BackendProps, type PropsResult, readProps } from './props.ts';

export interface BackendMonitorOptions {
  /** Called after each change of the status. For a backend that became ready, the props are known by then, or unavailable. */
  readonly onChange?: (status: BackendStatus, monitor: BackendMonitor) => void;
  /** Called when the props have changed and the status has not. Sleep does not count as a change. */
  readonly onPropsChange?: (monitor: BackendMonitor) => void;
  readonly intervalWhileStartingMs?: number;
  readonly intervalWhileReadyMs?: number;
  readonly probeTimeoutMs?: number;
  readonly propsTimeoutMs?: number;
  /** How long props stay valid: another process may have taken the address between two probes. */
  readonly propsMaxAgeMs?: number;
  /** Whether a process is expected at the address; if not, it is probed as rarely as one that is ready. */
  readonly isExpected?: () => boolean;
  /** Whether to check with every probe if it sleeps, which costs another request. */
  readonly followSleep?: () => boolean;
}

/** What is currently known about a backend, kept up to date by probes until closed. */
export interface BackendMonitor {
  readonly status: BackendStatus;
  /** When the status began, in milliseconds of the epoch. */
  readonly since: number;
  /** The last known props; kept while it restarts, until it is ready again. */
  readonly props: BackendProps | undefined;
  /** It serves no model itself, and so has no props. */
  readonly isRouter: boolean;
  /** It accepts connections, or its machine is away, but it does not respond. */
  readonly isSilent: boolean;
  /** The backend is up but rejects our key. */
  readonly keyRejected: boolean;
  /** Something may have changed: probe now instead of at the next interval. */
  probeNow(): void;
  /** Its process has exited: any later response is from another one. */
  markDown(): void;
  /** Probes now; resolves when the result is known here. */
  probe(): Promise<void>;
  /** Like `probe`, but also reads the props again: another model may have taken the address. */
  refresh(): Promise<void>;
  close(): void;
}

/** The props, or why they are unknown. */
type KnownProps = Exclude<PropsResult, 'unreadable'> | undefined;

/** Probes a backend at once and periodically: often while it starts, rarely while it serves. */
export function monitorBackend(backend: Backend, options: BackendMonitorOptions = {}): BackendMonitor {
  const { intervalWhileStartingMs = 100, intervalWhileReadyMs = 1000, probeTimeoutMs = 1000 } = options;
  const { propsTimeoutMs = 2000, propsMaxAgeMs = 5000, followSleep = () => false } = options;
  const { isExpected = () => true } = options;
  let state: ProbedState = initialProbedState(Date.now());
  let known: KnownProps;
  /** When they were last read, by a monotonic clock. */
  let readAt = Number.NEGATIVE_INFINITY;
  let isClosed = false;
  /** Increased when the process changes: results of an earlier one do not count. */
  let generation = 0;
  /** fresh: as read · stale: may have changed, used until read again · invalid: of a process that is gone. */
  let validity: 'fresh' | 'stale' | 'invalid' = 'invalid';
  let isProbeRequested = false;
  let isProbing = false;
  let pendingProbe: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;

  async function runProbe(): Promise<void> {
    isProbing = true;
    isProbeRequested = false;
    clearTimeout(timer);
    const generationBefore = generation;
    const next = nextStatus(state, await probe(backend, probeTimeoutMs), Date.now());
    if (next.status === 'ready' && state.status !== 'ready') validity = 'invalid';
    const responds = next.status === 'ready' && next.missed === 0;
    const props = responds && isDue() ? await refreshProps() : known;
    isProbing = false;
    if (isClosed) return;
    try {
      if (generation === generationBefore) update(next, props);
    } finally {
      // Probing continues even if a callback throws.
      schedule();
    }
  }

  function isDue(): boolean {
    return (
      validity !== 'fresh' ||
      typeof known !== 'object' ||
      followSleep() ||
      performance.now() - readAt >= propsMaxAgeMs
    );
  }

  async function refreshProps(): Promise<KnownProps> {
    const before = validity;
    // If the props become stale during the request, so does its result.
    validity = 'fresh';
    const result = await readProps(backend, propsTimeoutMs);
    if (result !== 'unreadable') {
      readAt = performance.now();
      return result;
    }
    if (validity === 'fresh') validity = before;
    return before === 'invalid' ? undefined : known;
  }

  function update(next: ProbedState, props: KnownProps): void {
    const hasStatusChanged = next.status !== state.status;
    const havePropsChanged = !isDeepStrictEqual(awake(props), awake(known));
    state = next;
    known = props;
    if (hasStatusChanged) options.onChange?.(state.status, monitor);
    else if (havePropsChanged) options.onPropsChange?.(monitor);
  }

  function schedule(): void {
    if (isClosed) return;
    const interval =
      state.status === 'ready' || !isExpected() ? intervalWhileReadyMs : intervalWhileStartingMs;
    timer = setTimeout(startProbe, isProbeRequested ? 0 : interval);
  }

  function startProbe(): Promise<void> {
    if (!isProbing) pendingProbe = runProbe();
    return pendingProbe;
  }

  const monitor: BackendMonitor = {
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
    get isSilent() {
      return state.missed > maxMissedProbes;
    },
    get keyRejected() {
      return known === 'key-rejected';
    },
    probeNow() {
      isProbeRequested = true;
      if (validity === 'fresh') validity = 'stale';
      if (!isProbing && !isClosed) startProbe();
    },
    markDown() {
      generation += 1;
      validity = 'invalid';
      update(nextStatus(state, 'unreachable', Date.now()), known);
      monitor.probeNow();
    },
    async probe() {
      // A pending probe may have started before the caller's reason to probe.
      if (isProbing) await pendingProbe;
      if (!isClosed) await startProbe();
    },
    async refresh() {
      if (isProbing) await pendingProbe;
      validity = 'invalid';
      if (!isClosed) await startProbe();
    },
    close() {
      isClosed = true;
      clearTimeout(timer);
    },
  };
  startProbe();
  return monitor;
}

/** Sleep is not a change that others have to follow. */
function awake(known: KnownProps): KnownProps {
  return typeof known === 'object' ? { ...known, sleeping: false } : known;
}
