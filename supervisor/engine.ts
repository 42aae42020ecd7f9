import type { Backend, BackendStatus } from '../health/backend.ts';
import type { BackendProps } from '../health/props.ts';
import type {
  EngineState,
  ModelStatus,
  RestartOutcome,
  SettingChanges,
  SupervisorMessage,
} from '../health/supervisor-messages.ts';
import type { Log } from '../log/create-log.ts';
import { recordUnhandledError } from '../log/unhandled-errors.ts';
import type { Boot, BootTimes } from './boot.ts';
import type { EngineConfig } from './config.ts';
import { logCrash } from './crash-messages.ts';
import { CrashTally } from './crash-tally.ts';
import type { CrashClass } from './engine/crash-class.ts';
import type { DraftCounts } from './engine/engine-activity.ts';
import { EngineProcess, type EngineProcessOwner } from './engine-process.ts';
import { EngineConfigs, EngineReplacement, type ReplacementReport } from './engine-replacement.ts';
import type { ClassifiedExit, EngineEvents, EngineFailure, FatalCrash, LoadFailure } from './events.ts';
import { LoadTally } from './load-tally.ts';
import type { RestartPlan } from './plan-restart.ts';
import type { Child, ChildExit } from './process/child.ts';
import type { ChildState } from './process/child-state.ts';
import type { ManagedProcess } from './process/managed-process.ts';
import { engineStatus } from './system-status.ts';

export interface EngineSetup {
  readonly id: string;
  /** The id of the model that it serves. */
  readonly model: string;
  readonly config: EngineConfig;
  readonly backend: EngineBackend;
  /** Starts llama-server. */
  readonly spawn: (options: SpawnRequest) => Child;
  /** What identifies the answers of a llama-server that starts now with this configuration. */
  readonly identify: (config: EngineConfig) => string;
  /** Returns the boot of a load that begins. */
  readonly startBoot: () => Boot;
  /** The configuration with these changes, or what is wrong with them. */
  readonly plan: (current: EngineConfig, changes: SettingChanges) => RestartPlan;
  /** The first load would fail the same way again. */
  readonly isFatal: (crash: CrashClass) => boolean;
  readonly owner: EngineOwner;
  readonly events: EngineEvents;
  readonly log: Log;
}

export type EngineBackend = Backend & { readonly apiKey: string };

export interface SpawnRequest {
  readonly config: EngineConfig;
  readonly backend: EngineBackend;
  /** Whether requests may run in it. */
  readonly isServing: () => boolean;
  readonly onLoadProgress: (loaded: number) => void;
}

/** What an engine reports to the deployment. */
export interface EngineOwner {
  /** Something that affects the status has changed. */
  changed(): void;
  /** It has loaded its model. */
  ready(engine: Engine): void;
  /** It has crashed, and is restarted unless it fails. */
  crashed(engine: Engine, exit: ClassifiedExit): void;
  /** It will not be restarted. */
  failed(engine: Engine, failure: EngineFailure, crash?: FatalCrash): void;
  /** A requested restart has made progress. */
  replacementChanged(engine: Engine): void;
  send(message: SupervisorMessage): void;
}

/**
 * One engine: its address and configuration, which stay, and the llama-server that serves there while the model is loaded.
 * A pause is what precedes the end of that: the gateway sends nothing more, and reports when no request is left.
 */
export class Engine implements EngineProcessOwner {
  readonly id: string;
  readonly model: string;
  readonly backend: EngineBackend;
  readonly crashes = new CrashTally();
  readonly tally = new LoadTally();
  readonly #options: EngineSetup;
  readonly #configs: EngineConfigs;
  readonly #replacement: EngineReplacement;
  #process: EngineProcess | undefined;
  #boot: Boot | undefined;
  /** Undefined if it has not failed since its last load began. */
  #failure: string | undefined;
  #loadProgress: number | undefined;
  /** The identity of the current process. */
  #identity: string | undefined;
  /** Restarts before the current load. */
  #earlierRestarts = 0;
  #unloading: 'no' | 'draining' | 'stopping' = 'no';

  constructor(options: EngineSetup) {
    const { id, model, config, backend, plan } = options;
    this.#options = options;
    this.id = id;
    this.model = model;
    this.backend = backend;
    this.#configs = new EngineConfigs(config);
    this.#replacement = new EngineReplacement({
      configs: this.#configs,
      plan: (changes) => plan(this.config, changes),
      drainTimeoutMs: config.drainTimeoutMs,
      replaceEngine: () => this.#process?.replace(),
      onChange: (report) => this.#onReplacementChange(report),
    });
  }

  /** The configuration of the next llama-server that starts. */
  get config(): EngineConfig {
    return this.#configs.current;
  }

  /** Undefined while the model is not loaded. */
  get process(): ManagedProcess | undefined {
    return this.#process?.process;
  }

  /** As seen from outside; undefined while the model is not loaded. */
  get backendStatus(): BackendStatus | undefined {
    if (this.#process === undefined) return undefined;
    const { process, monitor } = this.#process;
    return engineStatus({
      phase: process.state.phase,
      isReplacing: this.isReplacing,
      backend: monitor.status,
    });
  }

  get status(): ModelStatus {
    if (this.#failure !== undefined) return 'failed';
    if (this.#process === undefined) return 'unloaded';
    if (this.isSleeping) return 'sleeping';
    return this.#process.monitor.status === 'ready' ? 'loaded' : 'loading';
  }

  get props(): BackendProps | undefined {
    return this.#process?.monitor.props;
  }

  /** What its speculation has done since its last start. */
  get drafts(): DraftCounts | undefined {
    return this.#process?.drafts;
  }

  get isSleeping(): boolean {
    return this.#process?.isSleeping ?? false;
  }

  get adapters(): readonly string[] {
    return (this.config.engine.adapters ?? []).map(({ name }) => name);
  }

  get maySleep(): boolean {
    return Boolean(this.config.engine.sleepIdleMs);
  }

  /** When the phases of the current load were reached. */
  get bootTimes(): BootTimes {
    return this.#boot?.times ?? {};
  }

  /** 0 to 1 while it loads; undefined if it does not, or the build does not report it. */
  get loadProgress(): number | undefined {
    return this.status === 'loading' ? this.#loadProgress : undefined;
  }

  /** Why it will not be restarted: a crash class, `load-timed-out` or `is-router`. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** What identifies the answers of the current process (engine/engine-identity.ts); undefined while there is none. */
  get identity(): string | undefined {
    return this.#identity;
  }

  /** Restarts after crashes. */
  get restarts(): number {
    return this.#earlierRestarts + (this.process?.restarts ?? 0);
  }

  /** It is about to be replaced, or the replacement is not ready yet. */
  get isReplacing(): boolean {
    return this.#replacement.isInProgress;
  }

  /** It is paused until its requests have ended, or is being stopped. */
  get isUnloading(): boolean {
    return this.#unloading !== 'no';
  }

  get isStopping(): boolean {
    return this.#unloading === 'stopping';
  }

  /** The last requested restart. */
  get replacement(): ReplacementReport | undefined {
    return this.#replacement.report;
  }

  /** For the gateway. */
  get state(): EngineState {
    const { address, apiKey } = this.backend;
    return {
      ...{ id: this.id, model: this.model, address, apiKey, maySleep: this.maySleep },
      status: this.#failure === undefined ? (this.backendStatus ?? 'unloaded') : 'failed',
      slots: this.props?.slots ?? null,
      loadProgress: this.loadProgress ?? null,
      pause: this.isReplacing || this.isUnloading,
      identity: this.#identity ?? null,
      ...(this.adapters.length > 0 && { adapters: this.adapters }),
    };
  }

  /** Starts llama-server. Has no effect while there is one. */
  load(): void {
    if (this.#process !== undefined) return;
    const { backend, startBoot, isFatal, events } = this.#options;
    this.#failure = undefined;
    this.#loadProgress = undefined;
    this.#boot = startBoot();
    this.tally.began();
    this.#process = new EngineProcess({
      ...{ config: this.config, backend, boot: this.#boot, isFatal, events, owner: this },
      wasLoadedBefore: this.tally.loads > 0,
      spawn: (isServing) => this.#spawn(isServing),
    });
    this.#process.process.start();
    this.changed();
  }

  /** Pauses, and stops llama-server once no request is left. Has no effect while it is not loaded. */
  unload(): void {
    if (this.#process === undefined || this.isUnloading || this.isReplacing) return;
    this.#unloading = 'draining';
    this.changed();
  }

  /** Ends a pause that precedes the unloading. */
  resume(): void {
    if (this.#unloading !== 'draining') return;
    this.#unloading = 'no';
    this.changed();
  }

  /**
   * Runs with another configuration from now on. While it is loaded, that is a restart: it drains first, and falls back to
   * the configuration before if the model does not load. False if another restart is in progress.
   */
  reconfigure(config: EngineConfig): boolean {
    if (this.#process !== undefined) return this.#replacement.replaceWith(config);
    this.#configs.setCandidate(config);
    this.#configs.commit();
    this.forgetFailure();
    return true;
  }

  /** It may be loaded again. */
  forgetFailure(): void {
    this.#failure = undefined;
  }

  requestRestart(changes: SettingChanges): RestartOutcome {
    return this.isUnloading ? { outcome: 'in-progress' } : this.#replacement.request(changes);
  }

  /** The gateway is paused and has no requests here any more. */
  drained(): void {
    this.#replacement.drained();
    if (this.#unloading === 'draining') this.stop().catch(recordUnhandledError);
  }

  /** Stops llama-server at once; the model is unloaded then. */
  async stop(): Promise<void> {
    if (this.#process === undefined || this.#unloading === 'stopping') return;
    if (this.#unloading === 'draining') this.tally.unloaded();
    this.#unloading = 'stopping';
    const process = this.#process;
    await process.stop();
    this.#earlierRestarts += process.process.restarts;
    this.#process = undefined;
    this.#unloading = 'no';
    this.changed();
  }

  /** The last `count` exits were caused by a single request. */
  forgiveExits(count: number): void {
    this.#process?.forgiveExits(count).catch(recordUnhandledError);
  }

  /** No replacement from now on. */
  stopReplacing(): void {
    this.#replacement.stop();
  }

  close(): void {
    this.#process?.close();
  }

  // Reports of the process.

  changed(): void {
    this.#options.owner.changed();
  }

  ready(): void {
    const { loaded } = this.bootTimes;
    if (typeof loaded === 'number') this.tally.completed(loaded);
    this.#replacement.engineReady();
    this.#options.owner.ready(this);
  }

  exited(classified: ClassifiedExit, state: ChildState): void {
    const exit = { ...classified, model: this.#modelInFile };
    // Stopped from outside or on purpose: no request caused it.
    if (exit.crash === 'killed' || state.phase === 'replacing')
      this.#options.owner.send({ kind: 'engine-stopped-from-outside', engine: this.id });
    this.#loadProgress = undefined;
    this.#identity = undefined;
    if (state.phase !== 'stopped' && state.phase !== 'replacing') this.#onCrash(exit, state);
    this.changed();
  }

  failed(failure: EngineFailure, crash?: FatalCrash): void {
    this.#failure = failure === 'engine-failed' ? (crash?.crash ?? 'unknown') : failure;
    this.#options.owner.failed(this, failure, crash);
  }

  rollBack(failure: LoadFailure, exit?: ChildExit): boolean {
    if (!this.#replacement.rollBack(failure)) return false;
    const { log } = this.#options;
    if (exit && failure !== 'load-timed-out' && failure !== 'is-router')
      logCrash(log, {
        ...{ who: 'llama-server', exit, crash: failure, restartInMs: 0 },
        model: this.#modelInFile,
      });
    log.error(
      { class: failure },
      'llama-server did not load with the changed settings; restoring the previous ones',
    );
    return true;
  }

  /** The id of its model in `models.json`. */
  get #modelInFile(): string | undefined {
    return this.config.models && this.model;
  }

  #spawn(isServing: () => boolean): Child {
    const { config } = this;
    const { backend, identify, spawn } = this.#options;
    this.#identity = identify(config);
    const onLoadProgress = (loaded: number) => this.#onLoadProgress(loaded);
    const child = spawn({ config, backend, isServing, onLoadProgress });
    this.changed();
    return child;
  }

  #onLoadProgress(loaded: number): void {
    const before = this.#loadProgress ?? 0;
    // Not for every tensor.
    if (loaded < 1 && loaded - before < 0.01) return;
    this.#loadProgress = loaded;
    this.changed();
  }

  #onCrash(exit: ClassifiedExit, state: ChildState): void {
    this.crashes.add(exit);
    const restartInMs = state.phase === 'waiting' ? state.until - performance.now() : undefined;
    this.#options.events.crashed({ ...exit, restartInMs });
    this.#options.owner.crashed(this, exit);
    if (state.phase === 'given-up') this.failed('engine-failed', { ...exit, history: state.history });
  }

  #onReplacementChange({ state, changes, failure }: ReplacementReport): void {
    const fields = { changes: changes.join(', ') || undefined, failure: failure ?? undefined };
    this.#options.log.info(fields, `restart of llama-server: ${state}`);
    this.#options.owner.replacementChanged(this);
  }
}
