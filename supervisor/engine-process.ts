import type { Backend } from '../health/backend.ts';
import { type BackendMonitor, monitorBackend } from '../health/backend-monitor.ts';
import { recordUnhandledError } from '../log/unhandled-errors.ts';
import type { Boot } from './boot.ts';
import type { SupervisorConfig } from './config.ts';
import { type CrashClass, classifyCrash } from './engine/crash-class.ts';
import type { DraftCounts } from './engine/engine-activity.ts';
import { generateFirstToken } from './engine/first-token.ts';
import { abortHungEngine, monitorProgress } from './engine/hang-monitor.ts';
import type { ChildOwner, EngineEvents, EngineFailure, LoadFailure } from './events.ts';
import { countOomKills, wasOomKill } from './platform/oom-kills.ts';
import type { Child, ChildExit } from './process/child.ts';
import type { ChildEvent, ChildState } from './process/child-state.ts';
import { ManagedProcess } from './process/managed-process.ts';

const loadingReportIntervalMs = 10_000;

/** How long llama-server may take to exit after SIGTERM when it has no work: it ignores the signal while it works. */
const graceMs = 1000;

/**
 * How many times more crashes caused by single requests are forgiven than the policy allows without a cause, while
 * nothing shows that the engine works at all. An engine that crashes on every request has another fault.
 */
const forgivenessFactor = 4;

export interface EngineProcessOptions {
  readonly config: Pick<SupervisorConfig, 'loadTimeoutMs' | 'hangTimeoutMs' | 'policy'>;
  readonly backend: Backend;
  readonly boot: Boot;
  /** An earlier process of this engine has loaded the model. */
  readonly wasLoadedBefore: boolean;
  /** Starts llama-server; `isServing` returns whether requests may run in it. */
  readonly spawn: (isServing: () => boolean) => Child;
  /** The first load would fail the same way again. */
  readonly isFatal: (crash: CrashClass) => boolean;
  readonly owner: EngineProcessOwner;
  readonly events: EngineEvents;
}

/** What llama-server as a child needs from the engine it belongs to. */
export interface EngineProcessOwner extends ChildOwner {
  /** It may be found sleeping. */
  readonly maySleep: boolean;
  ready(): void;
  /**
   * It did not load. If it ran with a candidate configuration, drops that and returns true: the next one starts as before.
   */
  rollBack(failure: LoadFailure, exit?: ChildExit): boolean;
  failed(failure: EngineFailure): void;
}

/** llama-server as a child: its load is timed, a first token proves that it works, and a hang aborts it. */
export class EngineProcess {
  readonly process: ManagedProcess;
  readonly monitor: BackendMonitor;
  readonly #options: EngineProcessOptions;
  /** It has been ready since its last start. */
  #isReady = false;
  #isHung = false;
  #drafts: DraftCounts | undefined;
  /** Exits forgiven since it last generated a token. */
  #forgiven = 0;
  #oomKillsBefore: number | undefined;
  #hangMonitor: Disposable | undefined;
  #loadDeadline: NodeJS.Timeout | undefined;
  #loadingReports: NodeJS.Timeout | undefined;

  constructor(options: EngineProcessOptions) {
    this.#options = options;
    const { config, backend, boot, spawn, owner } = options;
    this.process = new ManagedProcess({
      spawn: () => spawn(() => this.monitor.status === 'ready'),
      policy: config.policy,
      classifyExit: (exit) => this.#classifyExit(exit),
      onStarted: () => this.#onStarted(),
      onExit: (exit, state) => this.#onExit(exit, state),
    });
    this.monitor = monitorBackend(backend, {
      followSleep: () => owner.maySleep,
      onChange: (status) => {
        if (status === 'loading' || status === 'ready') boot.markReached('bound');
        if (status === 'ready' && this.process.state.phase !== 'replacing') {
          if (this.monitor.isRouter) this.#rejectRouter();
          else this.#onBackendReady();
        }
        owner.changed();
      },
      onPropsChange: (monitor) => {
        if (monitor.isRouter) this.#rejectRouter();
        owner.changed();
      },
    });
  }

  get isSleeping(): boolean {
    return this.monitor.status === 'ready' && this.monitor.props?.sleeping === true;
  }

  /** It has been loaded since its first start. */
  get hasLoaded(): boolean {
    return this.#options.boot.times.loaded !== undefined;
  }

  /** What speculation has done since the last start; read every few seconds. Undefined if that is unknown. */
  get drafts(): DraftCounts | undefined {
    return this.#drafts;
  }

  /** Stops llama-server for good. Resolves when it has exited. */
  async stop(): Promise<void> {
    await this.process.stop(graceMs);
    this.close();
  }

  /** Stops llama-server and starts it with the current configuration. */
  replace(): void {
    this.process.replace(graceMs);
  }

  /**
   * The last `count` exits were caused by a single request and do not count. They are forgiven at once, because the next
   * exit may be the one to give up on; then a test token shows whether the engine works.
   */
  async forgiveExits(count: number): Promise<void> {
    const { config, backend } = this.#options;
    if (this.#forgiven + count > forgivenessFactor * config.policy.maxCrashes) return;
    this.#forgiven += count;
    this.process.forgiveExits(count);
    const token = await generateFirstToken(backend, config.loadTimeoutMs);
    if (token.outcome !== 'failed') this.#forgiven = 0;
  }

  close(): void {
    this.monitor.close();
    this.#stopLoadTimers();
    this.#hangMonitor?.[Symbol.dispose]();
  }

  #classify(exit: ChildExit): CrashClass {
    const oomKilled = wasOomKill(this.#oomKillsBefore, countOomKills());
    return classifyCrash(exit, { hung: this.#isHung, oomKilled });
  }

  #classifyExit(exit: ChildExit): ChildEvent {
    if (this.#isReady) return 'exited';
    const crash = this.#classify(exit);
    if (this.#options.owner.rollBack(crash, exit)) return 'candidate-exited';
    return !this.hasLoaded && this.#options.isFatal(crash) ? 'exited-fatally' : { loadFailure: crash };
  }

  #onStarted(): void {
    this.#isReady = false;
    this.#isHung = false;
    this.#drafts = undefined;
    this.#oomKillsBefore = countOomKills();
    this.#options.boot.markReached('process up');
    this.#startLoadTimers();
    this.#startHangMonitor();
    this.monitor.probeNow();
  }

  #onExit(exit: ChildExit, state: ChildState): void {
    const classified = {
      who: 'llama-server',
      exit,
      crash: this.#classify(exit),
      wasReady: this.#isReady,
    } as const;
    this.#stopLoadTimers();
    this.#hangMonitor?.[Symbol.dispose]();
    this.monitor.markDown();
    this.#options.owner.exited(classified, state);
  }

  #startLoadTimers(): void {
    const { config, events } = this.#options;
    const startedAt = performance.now();
    this.#loadDeadline = setTimeout(() => this.#onLoadTimeout(), config.loadTimeoutMs);
    this.#loadingReports = setInterval(
      () => events.stillLoading(performance.now() - startedAt),
      loadingReportIntervalMs,
    );
  }

  #stopLoadTimers(): void {
    clearTimeout(this.#loadDeadline);
    clearInterval(this.#loadingReports);
  }

  #onLoadTimeout(): void {
    if (this.#options.owner.rollBack('load-timed-out')) this.replace();
    else this.#options.owner.failed('load-timed-out');
  }

  #startHangMonitor(): void {
    const { config, backend, wasLoadedBefore, owner } = this.#options;
    if (config.hangTimeoutMs === 0) return;
    this.#hangMonitor = monitorProgress({
      backend,
      hangTimeoutMs: config.hangTimeoutMs,
      loadTimeoutMs: config.loadTimeoutMs,
      maySleep: owner.maySleep,
      isRestart: wasLoadedBefore || this.hasLoaded,
      wasReady: () => this.#isReady,
      onCounted: ({ drafts }) => {
        this.#drafts = drafts;
      },
      onHung: () => this.#abortHung(),
    });
  }

  #abortHung(): void {
    if (this.process.state.phase !== 'running') return;
    this.#isHung = true;
    this.#options.events.engineHung();
    if (this.process.child) abortHungEngine(this.process.child).catch(recordUnhandledError);
  }

  #onBackendReady(): void {
    const { boot, owner } = this.#options;
    this.#isReady = true;
    boot.markReached('loaded');
    this.#stopLoadTimers();
    owner.ready();
    if (boot.times['first token'] === undefined) this.#testFirstToken().catch(recordUnhandledError);
  }

  /** A router serves no model itself. */
  #rejectRouter(): void {
    if (this.#isReady || !this.#options.owner.rollBack('is-router')) this.#options.owner.failed('is-router');
    else this.replace();
  }

  async #testFirstToken(): Promise<void> {
    const { config, backend, boot, owner, events } = this.#options;
    const token = await generateFirstToken(backend, config.loadTimeoutMs);
    if (token.outcome === 'failed') return events.firstTokenFailed(token.reason);
    boot.markReached('first token', token.outcome === 'generated');
    owner.changed();
  }
}
