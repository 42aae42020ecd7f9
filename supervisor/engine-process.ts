import type { Backend } from '../health/backend.ts';
import { type BackendMonitor, monitorBackend } from '../health/backend-monitor.ts';
import { recordUnhandledError } from '../log/unhandled-errors.ts';
import type { Boot } from './boot.ts';
import { abortHungEngine } from './engine/abort-hung-engine.ts';
import { type CrashClass, classifyCrash, isFatal } from './engine/crash-class.ts';
import { generateFirstToken } from './engine/first-token.ts';
import { monitorProgress } from './engine/hang-monitor.ts';
import { countOomKills, wasOomKill } from './platform/oom-kills.ts';
import type { Child, ChildExit } from './process/child.ts';
import type { ChildState } from './process/child-state.ts';
import { type ManagedProcess, superviseProcess } from './process/managed-process.ts';
import type { RestartPolicy } from './process/restart-policy.ts';

const tellLoadingEveryMs = 10_000;

/** What llama-server may take to free its memory once it is asked to end. */
export const engineGraceMs = 5000;

/** The same where another waits for its place: one that is at work beyond the drain does not heed the signal, and its streams wait. */
export const replacementGraceMs = 1000;

/**
 * How much more an engine may die of single requests than without a cause, while nothing shows that it can work at all:
 * one that dies of whatever it is asked has more than one fault.
 */
const MOST_PARDONED = 4;

export interface EngineProcessOptions {
  readonly backend: Backend;
  readonly boot: Boot;
  readonly loadTimeoutMs: number;
  readonly followSleep: () => boolean;
  /** 0 is never. */
  readonly hangTimeoutMs: number;
  readonly policy: RestartPolicy;
  /** Starts one; `serves` tells whether requests may be at work in it. */
  readonly start: (serves: () => boolean) => Child;
  /** Something that others see has changed. */
  readonly onChange: () => void;
  readonly onEnd: (end: EngineExit, state: ChildState) => void;
  /** It makes no progress any more, and is ended for it. */
  readonly onHung: () => void;
  readonly onLoadTimedOut: () => void;
  /** It has come up as a router, which serves no model itself. */
  readonly onRouter: () => void;
  /** It has just become ready, for the first time or again. */
  readonly onEngineReady: () => void;
  /**
   * The one that ended, or took too long, was never ready. Answers whether it had arguments on trial, which are then
   * taken back, so that the next is started as before.
   */
  readonly takeBack: (why: LoadFailure, end?: ChildExit) => boolean;
  /** Now and then while a model takes its time. */
  readonly onStillLoading: (sinceMs: number) => void;
  /** It is ready, and yet generates nothing. */
  readonly onNoToken: (why: string) => void;
}

export interface EngineExit {
  readonly end: ChildExit;
  readonly crash: CrashClass;
  /** It had been ready since it was started. */
  readonly wasReady: boolean;
}

export type LoadFailure = CrashClass | 'load-timed-out' | 'is-router';

/** llama-server as a child, its loading watched and timed, proved by a first token. */
export interface EngineProcess {
  readonly tended: ManagedProcess;
  readonly watch: BackendMonitor;
  /** So many of its last ends were the doing of one request, and count for nothing. */
  pardon(ends: number): void;
  close(): void;
}

export function superviseEngine(options: EngineProcessOptions): EngineProcess {
  const { backend, boot, loadTimeoutMs } = options;
  /** It has been ready since it was last started. */
  let isReady = false;
  let isHung = false;
  /** Ends that were pardoned since it was last seen to say a word. */
  let pardoned = 0;
  let oomKills: number | undefined;
  let progress: Disposable | undefined;
  let deadline: NodeJS.Timeout | undefined;
  let patience: NodeJS.Timeout | undefined;
  const watch = monitorBackend(backend, {
    followSleep: options.followSleep,
    onChange(standing) {
      if (standing === 'loading' || standing === 'ready') boot.markReached('bound');
      if (standing === 'ready' && tended.state.phase !== 'replacing') learnWhatCameUp();
      options.onChange();
    },
    onPropsChange() {
      if (watch.isRouter) refuseRouter();
      options.onChange();
    },
  });
  const tended = superviseProcess({
    start: () => options.start(() => watch.status === 'ready'),
    policy: options.policy,
    judge(end) {
      if (isReady) return 'ended';
      const crash = classify(end);
      if (options.takeBack(crash, end)) return 'ended-on-trial';
      return boot.times.loaded === undefined && isFatal(crash) ? 'ended-for-good' : { loadFailure: crash };
    },
    onStarted() {
      isReady = false;
      isHung = false;
      oomKills = countOomKills();
      boot.markReached('process up');
      awaitLoad();
      expectProgress();
      watch.probeNow();
    },
    onEnded(end, state) {
      const engineEnd = { end, crash: classify(end), wasReady: isReady };
      stopWaiting();
      progress?.[Symbol.dispose]();
      watch.markDown();
      options.onEnd(engineEnd, state);
    },
  });

  function classify(end: ChildExit): CrashClass {
    return classifyCrash(end, { hung: isHung, oomKilled: wasOomKill(oomKills, countOomKills()) });
  }

  function expectProgress(): void {
    const { hangTimeoutMs, followSleep } = options;
    if (hangTimeoutMs === 0) return;
    progress = monitorProgress({
      backend,
      hangTimeoutMs,
      loadTimeoutMs,
      maySleep: followSleep(),
      startedAgain: boot.times.loaded !== undefined,
      wasReady: () => isReady,
      onHung: endHung,
    });
  }

  function endHung(): void {
    if (tended.state.phase !== 'running') return;
    isHung = true;
    options.onHung();
    if (tended.child) abortHungEngine(tended.child).catch(recordUnhandledError);
  }

  function awaitLoad(): void {
    const begin = performance.now();
    deadline = setTimeout(giveUpLoading, loadTimeoutMs);
    patience = setInterval(() => options.onStillLoading(performance.now() - begin), tellLoadingEveryMs);
  }

  function giveUpLoading(): void {
    if (options.takeBack('load-timed-out')) tended.replace(replacementGraceMs);
    else options.onLoadTimedOut();
  }

  function stopWaiting(): void {
    clearTimeout(deadline);
    clearInterval(patience);
  }

  function learnWhatCameUp(): void {
    if (watch.isRouter) refuseRouter();
    else learnReady();
  }

  function refuseRouter(): void {
    if (isReady || !options.takeBack('is-router')) options.onRouter();
    else tended.replace(replacementGraceMs);
  }

  function learnReady(): void {
    isReady = true;
    boot.markReached('loaded');
    stopWaiting();
    options.onEngineReady();
    if (boot.times['first token'] === undefined) proveByToken().catch(recordUnhandledError);
  }

  async function proveByToken(): Promise<void> {
    const token = await generateFirstToken(backend, loadTimeoutMs);
    if (token.outcome === 'failed') return options.onNoToken(token.why);
    boot.markReached('first token', token.outcome === 'came');
    options.onChange();
  }

  /** Pardons at once, as the next end may be the one to give up at, and looks whether it can say a word. */
  async function pardon(ends: number): Promise<void> {
    if (pardoned + ends > MOST_PARDONED * options.policy.mostEnds) return;
    pardoned += ends;
    tended.pardon(ends);
    const token = await generateFirstToken(backend, loadTimeoutMs);
    if (token.outcome !== 'failed') pardoned = 0;
  }

  return {
    tended,
    watch,
    pardon: (ends) => void pardon(ends).catch(recordUnhandledError),
    close() {
      watch.close();
      stopWaiting();
      progress?.[Symbol.dispose]();
    },
  };
}
