import type { Backend, BackendStatus } from '../health/backend.ts';
import type { BackendProps } from '../health/props.ts';
import type { RestartOutcome, SettingChanges, SupervisorMessage } from '../health/supervisor-messages.ts';
import type { Log } from '../log/create-log.ts';
import { recordUnhandledError } from '../log/unhandled-errors.ts';
import type { Boot } from './boot.ts';
import type { SupervisorConfig } from './config.ts';
import { logCrash } from './crash-messages.ts';
import { CrashTally } from './crash-tally.ts';
import { EngineProcess, type EngineProcessOwner } from './engine-process.ts';
import { EngineConfigs, EngineReplacement, type ReplacementReport } from './engine-replacement.ts';
import type { ClassifiedExit, EngineEvents, EngineFailure, FatalCrash, LoadFailure } from './events.ts';
import type { RestartPlan } from './plan-restart.ts';
import type { Child, ChildExit } from './process/child.ts';
import type { ChildState } from './process/child-state.ts';
import type { ManagedProcess } from './process/managed-process.ts';
import { engineStatus } from './system-status.ts';

export interface EngineSetup {
  readonly config: SupervisorConfig;
  readonly backend: Backend & { readonly apiKey: string };
  readonly boot: Boot;
  /** Starts llama-server with this configuration; `isServing` returns whether requests may run in it. */
  readonly spawn: (config: SupervisorConfig, isServing: () => boolean) => Child;
  /** The configuration with these changes, or what is wrong with them. */
  readonly plan: (current: SupervisorConfig, changes: SettingChanges) => RestartPlan;
  readonly owner: EngineOwner;
  readonly events: EngineEvents;
  readonly log: Log;
}

/** What an engine reports to the deployment. */
export interface EngineOwner {
  /** Something that affects the status has changed. */
  changed(): void;
  ready(engine: Engine): void;
  /** It has crashed, and is restarted unless it fails. */
  crashed(exit: ClassifiedExit): void;
  /** It will not be restarted. */
  failed(engine: Engine, failure: EngineFailure, crash?: FatalCrash): void;
  /** A requested restart has made progress. */
  replacementChanged(engine: Engine): void;
  send(message: SupervisorMessage): void;
}

/** One engine: its address, the configuration that it runs with, and the llama-server that serves there. */
export class Engine implements EngineProcessOwner {
  readonly backend: Backend & { readonly apiKey: string };
  readonly crashes = new CrashTally();
  readonly #options: EngineSetup;
  readonly #configs: EngineConfigs;
  readonly #replacement: EngineReplacement;
  readonly #process: EngineProcess;
  #hasFailed = false;

  constructor(options: EngineSetup) {
    const { config, backend, boot, spawn, plan, events } = options;
    this.#options = options;
    this.backend = backend;
    this.#configs = new EngineConfigs(config);
    this.#replacement = new EngineReplacement({
      configs: this.#configs,
      plan: (changes) => plan(this.config, changes),
      drainTimeoutMs: config.drainTimeoutMs,
      replaceEngine: () => this.#process.replace(),
      onChange: (report) => this.#onReplacementChange(report),
    });
    this.#process = new EngineProcess({
      ...{ config, backend, boot, events, owner: this },
      spawn: (isServing) => spawn(this.config, isServing),
    });
  }

  /** The configuration of the next llama-server that starts. */
  get config(): SupervisorConfig {
    return this.#configs.current;
  }

  get process(): ManagedProcess {
    return this.#process.process;
  }

  get status(): BackendStatus {
    return engineStatus({
      phase: this.process.state.phase,
      isReplacing: this.isReplacing,
      backend: this.#process.monitor.status,
    });
  }

  get props(): BackendProps | undefined {
    return this.#process.monitor.props;
  }

  get isSleeping(): boolean {
    return this.#process.isSleeping;
  }

  get maySleep(): boolean {
    return Boolean(this.config.engine.sleepIdleMs);
  }

  /** It is about to be replaced, or the replacement is not ready yet. */
  get isReplacing(): boolean {
    return this.#replacement.isInProgress;
  }

  /** The last requested restart. */
  get replacement(): ReplacementReport | undefined {
    return this.#replacement.report;
  }

  /** It will not be restarted. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  start(): void {
    this.process.start();
  }

  requestRestart(changes: SettingChanges): RestartOutcome {
    return this.#replacement.request(changes);
  }

  /** The gateway is paused and has no requests here any more. */
  drained(): void {
    this.#replacement.drained();
  }

  /** The last `count` exits were caused by a single request. */
  forgiveExits(count: number): void {
    this.#process.forgiveExits(count).catch(recordUnhandledError);
  }

  /** No replacement from now on. */
  stopReplacing(): void {
    this.#replacement.stop();
  }

  close(): void {
    this.#process.close();
  }

  // Reports of the process.

  changed(): void {
    this.#options.owner.changed();
  }

  ready(): void {
    this.#replacement.engineReady();
    this.#options.owner.ready(this);
  }

  exited(exit: ClassifiedExit, state: ChildState): void {
    // Stopped from outside or on purpose: no request caused it.
    if (exit.crash === 'killed' || state.phase === 'replacing')
      this.#options.owner.send({ kind: 'engine-stopped-from-outside' });
    if (state.phase !== 'stopped' && state.phase !== 'replacing') this.#onCrash(exit, state);
    this.changed();
  }

  failed(failure: EngineFailure, crash?: FatalCrash): void {
    this.#hasFailed = true;
    this.#options.owner.failed(this, failure, crash);
  }

  rollBack(failure: LoadFailure, exit?: ChildExit): boolean {
    if (!this.#replacement.rollBack(failure)) return false;
    const { log } = this.#options;
    if (exit && failure !== 'load-timed-out' && failure !== 'is-router')
      logCrash(log, { who: 'llama-server', exit, crash: failure, restartInMs: 0 });
    log.error(
      { class: failure },
      'llama-server did not load with the changed settings; restoring the previous ones',
    );
    return true;
  }

  #onCrash(exit: ClassifiedExit, state: ChildState): void {
    this.crashes.add(exit);
    const restartInMs = state.phase === 'waiting' ? state.until - performance.now() : undefined;
    this.#options.events.crashed({ ...exit, restartInMs });
    this.#options.owner.crashed(exit);
    if (state.phase === 'given-up') this.failed('engine-failed', { ...exit, history: state.history });
  }

  #onReplacementChange({ state, changes, failure }: ReplacementReport): void {
    const fields = { changes: changes.join(', ') || undefined, failure: failure ?? undefined };
    this.#options.log.info(fields, `restart of llama-server: ${state}`);
    this.#options.owner.replacementChanged(this);
  }
}
