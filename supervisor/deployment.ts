import type { HealthSnapshot } from '../health/health-response.ts';
import type {
  ModelAction,
  ModelRequestOutcome,
  RestartOutcome,
  SettingChanges,
  SupervisorMessage,
} from '../health/supervisor-messages.ts';
import type { Log } from '../log/create-log.ts';
import type { Logs } from '../log/create-logs.ts';
import { recordUnhandledError } from '../log/unhandled-errors.ts';
import packageFile from '../package.json' with { type: 'json' };
import { markReachedByAll, startBoot } from './boot.ts';
import type { SupervisorConfig } from './config.ts';
import { failureMessage } from './crash-messages.ts';
import { CrashTally, type LastCrash } from './crash-tally.ts';
import { DeploymentStatus } from './deployment-status.ts';
import type { InstalledEngine } from './engine/installed-engine.ts';
import type { Engine, EngineOwner } from './engine.ts';
import { createSecret, EngineFactory } from './engine-factory.ts';
import type {
  ChildOwner,
  ClassifiedExit,
  DeploymentFailure,
  EngineFailure,
  FatalCrash,
  Outcome,
  SupervisorEvents,
} from './events.ts';
import { GatewayLink } from './gateway-link.ts';
import { GatewayProcess } from './gateway-process.ts';
import { IdleTimer } from './idle-timer.ts';
import { ModelFactory } from './model-factory.ts';
import { ModelManager } from './model-manager.ts';
import { modelsDetails } from './models-details.ts';
import type { Child } from './process/child.ts';
import type { ChildState } from './process/child-state.ts';
import type { ManagedProcess } from './process/managed-process.ts';
import type { RuntimeDir } from './process/runtime-dir.ts';
import { createQueueWorker, reportUnhealthy } from './queue-worker.ts';
import { createRunner } from './runner-process.ts';
import { ServedModel } from './served-model.ts';
import { shutDown } from './shutdown.ts';
import { type Command, spawnGateway } from './spawn-gateway.ts';
import { modelsStatus } from './system-status.ts';

export interface DeploymentOptions {
  readonly config: SupervisorConfig;
  readonly engine: InstalledEngine;
  readonly gatewayCommand: Command;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  readonly logs: Logs;
  readonly runtimeDir: RuntimeDir;
  readonly events: SupervisorEvents;
}

/** Owns the children (engines, the gateway, possibly a queue worker and a runner of batches), and the overall status. */
export class Deployment implements ChildOwner, EngineOwner {
  readonly #options: DeploymentOptions;
  readonly #queueWorkerKey: string | undefined;
  readonly #runnerKey: string | undefined;
  readonly #boot = startBoot();
  readonly #idleTimer: IdleTimer;
  /** The only model; undefined with a registry. */
  readonly #only: ServedModel | undefined;
  /** Undefined with one model. */
  readonly #manager: ModelManager | undefined;
  readonly #link: GatewayLink;
  readonly #gateway: GatewayProcess;
  readonly #queueWorker: ManagedProcess | undefined;
  /** Undefined without a store. */
  readonly #runner: ManagedProcess | undefined;
  readonly #outcome = Promise.withResolvers<Outcome>();
  readonly #status = new DeploymentStatus();
  #isReadyReported = false;
  #isStopping = false;
  #hasFailed = false;
  readonly #crashes = { engine: new CrashTally(), gateway: new CrashTally() };
  #lastCrash: LastCrash | undefined;

  constructor(options: DeploymentOptions) {
    const { config, env, log, logs, runtimeDir, events } = options;
    this.#options = options;
    this.#queueWorkerKey = config.runsQueueWorker ? createSecret() : undefined;
    this.#runnerKey = config.settings.STORE ? createSecret() : undefined;
    this.#idleTimer = new IdleTimer({
      limitMs: config.idleShutdownMs,
      onLimit: () => this.end({ reason: 'idle' }),
    });
    const factory = new EngineFactory({
      ...{ env, log, logs, runtimeDir, events, owner: this, program: options.engine },
      loadedTogether: () => this.#manager?.loadedTogether,
      onSpawned: (child) => this.#record(child),
    });
    const { engine, models } = config;
    if (engine !== undefined) {
      const only = factory.createOnly({ ...config, engine }, this.#boot);
      this.#only = new ServedModel({ id: only.model, engines: [only], isFromStart: true });
    } else if (models !== undefined)
      this.#manager = new ModelManager({
        ...{ config, models, log },
        factory: new ModelFactory(config, factory),
        onChange: () => this.#publish(),
      });
    this.#link = new GatewayLink({
      send: (message) => this.send(message),
      models: () => this.#models,
      only: this.#only?.engines[0],
      idleTimer: this.#idleTimer,
      requestRestart: (changes) => this.#requestRestart(changes),
      requestAction: (model, action) => this.#requestAction(model, action),
      onDemand: (demand) => this.#manager?.onDemand(demand),
      onListening: () => this.#gateway.hasPort(),
    });
    this.#gateway = new GatewayProcess({
      ...{ config, events, boot: this.#boot, owner: this },
      spawn: () => this.#spawnGateway(),
    });
    if (this.#queueWorkerKey !== undefined)
      this.#queueWorker = createQueueWorker({
        ...{ ...config, env, key: this.#queueWorkerKey },
        log: logs.getLog('runpod-worker'),
        forward: logs.forward,
        onSpawned: (child) => this.#record(child),
        onCrash: (exit) => events.queueWorkerCrashed(exit),
        onFailure: (message) => this.end({ reason: 'queue-worker-failed', message }),
      });
    if (this.#runnerKey !== undefined)
      this.#runner = createRunner({
        ...{ ...config, env, key: this.#runnerKey, idleTimer: this.#idleTimer },
        log: logs.getLog('runner'),
        forward: logs.forward,
        onSpawned: (child) => this.#record(child),
        onCrash: (exit, isFinal) => events.runnerCrashed(exit, isFinal),
      });
  }

  /** Resolves when the deployment has to end: on request, after a failure, or because it was idle. */
  get outcome(): Promise<Outcome> {
    return this.#outcome.promise;
  }

  /** Starts all children at the same time. */
  start(): void {
    this.#only?.load();
    this.#manager?.start();
    this.#gateway.process.start();
    this.#queueWorker?.start();
    this.#runner?.start();
  }

  /** The first call decides the outcome. */
  end(outcome: Outcome): void {
    this.#outcome.resolve(outcome);
  }

  reloadKeys(): void {
    this.#gateway.reloadKeys();
    this.#manager?.reload().catch(recordUnhandledError);
  }

  /** Reports to RunPod that this worker cannot do jobs any more. */
  async reportUnhealthy({ reason, message = '' }: Outcome): Promise<void> {
    if (this.#queueWorker) await reportUnhealthy(this.#queueWorker, { check: reason, reason: message });
  }

  /** Stops all children, the gateway and its clients first. Resolves when none is left. */
  async stop(force: AbortSignal): Promise<void> {
    for (const engine of this.#engines) engine.stopReplacing();
    this.#idleTimer.close();
    this.#isStopping = true;
    this.changed();
    await shutDown({
      clients: [this.#queueWorker, this.#runner].filter((client) => client !== undefined),
      gateway: this.#gateway.process,
      engines: () => {
        // Until now, models were loaded for requests that wait.
        this.#manager?.close();
        return this.#engines.flatMap(({ process }) => process ?? []);
      },
      drainTimeoutMs: this.#options.config.drainTimeoutMs,
      force,
    });
    for (const engine of this.#engines) engine.close();
    this.#gateway.close();
  }

  /** Kills all children at once. */
  kill(): void {
    const engines = this.#engines.map(({ process }) => process);
    for (const process of [this.#queueWorker, this.#runner, ...engines, this.#gateway.process])
      process?.child?.kill();
  }

  /** What the health server shows. */
  snapshot(): HealthSnapshot {
    const { times, phase } = this.#boot;
    const { engine, gateway } = this.#crashes;
    return {
      status: this.#status.current,
      everReady: this.#status.wasReady,
      gatewayUnresponsive: this.#gateway.isUnresponsive,
      details: {
        phase,
        since: this.#status.since.toISOString(),
        loadTimeMs: times.loaded ?? null,
        boot: times,
        restarts: {
          engine: this.#engines.reduce(
            (sum, { restarts }) => sum + restarts,
            this.#manager?.past.restarts ?? 0,
          ),
          gateway: this.#gateway.process.restarts,
        },
        crashes: { engine: engine.counts, gateway: gateway.counts },
        lastCrash: this.#lastCrash ?? null,
        gatewayUp: this.#gateway.isUp,
        ...(this.#runner && { runnerUp: this.#runner.state.phase === 'running' }),
        version: packageFile.version,
        idleSeconds: Math.floor(this.#idleTimer.idleMs / 1000),
        ...modelsDetails(this.#models, this.#link.aliases, this.#manager),
      },
    };
  }

  // Reports of the children.

  changed(): void {
    this.#publish();
    this.#manager?.update();
  }

  /** Decides the status, and lets all know who have to. */
  #publish(): void {
    const required = this.#models.filter((model) => model.isRequired).flatMap(({ engines }) => engines);
    markReachedByAll(
      this.#boot,
      required.map(({ bootTimes }) => bootTimes),
    );
    const engines = modelsStatus(this.#models);
    if (engines === 'ready' && this.#gateway.isUp) this.#idleTimer.end('boot');
    const hasChanged = this.#status.update({
      stopping: this.#isStopping,
      failed: this.#hasFailed,
      engines,
      gatewayUp: this.#gateway.isUp,
    });
    if (hasChanged) this.#options.events.statusChanged(this.#status.current);
    this.#link.update();
    this.#reportReady();
  }

  /** An exit of the gateway. */
  exited(exit: ClassifiedExit, state: ChildState): void {
    if (state.phase !== 'stopped') this.#onGatewayCrash(exit, state);
    this.changed();
  }

  ready(engine: Engine): void {
    const model = this.#models.find(({ id }) => id === engine.model);
    if (model) model.wasReady = true;
    this.#manager?.onReady(engine);
  }

  crashed(_engine: Engine, exit: ClassifiedExit): void {
    this.#lastCrash = this.#crashes.engine.add(exit);
  }

  failed(engine: Engine, failure: EngineFailure, crash?: FatalCrash): void {
    if (this.#manager?.onFailed(engine, failure, crash)) {
      this.changed();
      return;
    }
    this.#fail(failure, crash, this.#manager && engine.model);
    this.#link.sendEngineState();
  }

  replacementChanged(): void {
    if (this.#engines.some(({ isReplacing }) => isReplacing)) this.#idleTimer.start('replacement');
    else this.#idleTimer.end('replacement');
    this.#link.sendEngineState();
    this.changed();
  }

  send(message: SupervisorMessage): void {
    this.#gateway.process.child?.send(message);
  }

  get #models(): readonly ServedModel[] {
    return this.#manager?.models ?? (this.#only ? [this.#only] : []);
  }

  get #engines(): readonly Engine[] {
    return this.#models.flatMap(({ engines }) => engines);
  }

  #requestRestart(changes: SettingChanges): RestartOutcome {
    const [engine] = this.#only?.engines ?? [];
    return engine?.requestRestart(changes) ?? { outcome: 'rejected', problems: [restartsOneModel] };
  }

  #requestAction(model: string, action: ModelAction): ModelRequestOutcome {
    if (this.#isStopping) return { outcome: 'stopping' };
    return this.#manager?.request(model, action) ?? { outcome: 'rejected', problem: hasOneModel };
  }

  #reportReady(): void {
    const { times } = this.#boot;
    const isUp = this.#status.current === 'ready' && times['first token'] !== undefined;
    if (!isUp || this.#isReadyReported) return;
    this.#isReadyReported = true;
    this.#options.events.ready({ props: this.#engines.find(({ props }) => props)?.props, boot: times });
  }

  #onGatewayCrash(exit: ClassifiedExit, state: ChildState): void {
    this.#lastCrash = this.#crashes.gateway.add(exit);
    const restartInMs = state.phase === 'waiting' ? state.until - performance.now() : undefined;
    this.#options.events.crashed({ ...exit, restartInMs });
    // Its requests have ended with it. The next gateway reports its own.
    this.#idleTimer.end('requests');
    this.#manager?.onGatewayLost();
    if (state.phase === 'given-up') this.#fail('gateway-failed', { ...exit, history: state.history });
  }

  #fail(failure: DeploymentFailure, crash?: FatalCrash, model?: string): void {
    this.#hasFailed = true;
    this.changed();
    const message = failureMessage(failure, crash, model);
    this.#options.events.failed(message);
    this.end({ reason: failure, message });
  }

  #spawnGateway(): Child {
    const { gatewayCommand, env, logs } = this.#options;
    const child = spawnGateway({
      command: gatewayCommand,
      config: this.#only?.engines[0]?.config ?? this.#options.config,
      backend: this.#engines[0]?.backend,
      engineKeys: () => this.#engines.map(({ backend }) => backend.apiKey),
      queueWorkerKey: this.#queueWorkerKey,
      runnerKey: this.#runnerKey,
      env,
      log: logs.getLog('gateway'),
      forward: logs.forward,
      onMessage: (message) => this.#link.onMessage(message),
    });
    for (const message of this.#link.initialMessages) child.send(message);
    return this.#record(child);
  }

  /** The next start kills a child that outlives us. */
  #record(child: Child): Child {
    if (child.pid !== undefined) this.#options.runtimeDir.recordChild(child.pid);
    return child;
  }
}

const restartsOneModel =
  'several models are served: restart one of them with POST /admin/models/{id}/restart, or change models.json';
const hasOneModel = 'one model is served, and it is always loaded: restart it with POST /admin/restart';
