import { randomBytes } from 'node:crypto';
import type { Backend, BackendStatus } from '../health/backend.ts';
import type { HealthSnapshot } from '../health/health-response.ts';
import type { EngineStateMessage, GatewayMessage, SupervisorMessage } from '../health/supervisor-messages.ts';
import type { Log } from '../log/create-log.ts';
import type { Logs } from '../log/create-logs.ts';
import packageFile from '../package.json' with { type: 'json' };
import { startBoot } from './boot.ts';
import type { SupervisorConfig } from './config.ts';
import { failureMessage } from './crash-messages.ts';
import { CrashTally, type LastCrash } from './crash-tally.ts';
import type { InstalledEngine } from './engine/installed-engine.ts';
import { spawnEngine } from './engine/spawn-engine.ts';
import { Engine, type EngineOwner } from './engine.ts';
import type {
  ChildOwner,
  ClassifiedExit,
  DeploymentFailure,
  EngineEvents,
  EngineFailure,
  FatalCrash,
  Outcome,
  SupervisorEvents,
} from './events.ts';
import { GatewayProcess } from './gateway-process.ts';
import { IdleTimer } from './idle-timer.ts';
import { planRestart, type RestartPlan } from './plan-restart.ts';
import type { Child } from './process/child.ts';
import type { ChildState } from './process/child-state.ts';
import type { ManagedProcess } from './process/managed-process.ts';
import type { RuntimeDir } from './process/runtime-dir.ts';
import { createQueueWorker, reportUnhealthy } from './queue-worker.ts';
import { shutDown } from './shutdown.ts';
import { type Command, spawnGateway } from './spawn-gateway.ts';
import { systemStatus } from './system-status.ts';

export interface DeploymentOptions {
  readonly config: SupervisorConfig;
  readonly engine: InstalledEngine;
  readonly gatewayCommand: Command;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  readonly logs: Logs;
  readonly runtimeDir: RuntimeDir;
  readonly events: SupervisorEvents & EngineEvents;
}

/** Owns the children (engines, the gateway, possibly a queue worker), and the overall status. */
export class Deployment implements ChildOwner, EngineOwner {
  readonly #options: DeploymentOptions;
  readonly #queueWorkerKey: string | undefined;
  readonly #boot = startBoot();
  readonly #idleTimer: IdleTimer;
  readonly #engine: Engine;
  readonly #gateway: GatewayProcess;
  readonly #queueWorker: ManagedProcess | undefined;
  readonly #outcome = Promise.withResolvers<Outcome>();
  #status: BackendStatus = 'starting';
  #statusSince = Date.now();
  #wasReady = false;
  #isReadyReported = false;
  #isStopping = false;
  #hasFailed = false;
  readonly #crashes = { engine: new CrashTally(), gateway: new CrashTally() };
  #lastCrash: LastCrash | undefined;

  constructor(options: DeploymentOptions) {
    const { config, env, logs, events } = options;
    this.#options = options;
    this.#queueWorkerKey = config.runsQueueWorker ? createSecret() : undefined;
    this.#idleTimer = new IdleTimer({
      limitMs: config.idleShutdownMs,
      onLimit: () => this.end({ reason: 'idle' }),
    });
    this.#engine = this.#createEngine();
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
  }

  /** Resolves when the deployment has to end: on request, after a failure, or because it was idle. */
  get outcome(): Promise<Outcome> {
    return this.#outcome.promise;
  }

  /** Starts all children at the same time. */
  start(): void {
    this.#engine.start();
    this.#gateway.process.start();
    this.#queueWorker?.start();
  }

  /** The first call decides the outcome. */
  end(outcome: Outcome): void {
    this.#outcome.resolve(outcome);
  }

  reloadKeys(): void {
    this.#gateway.reloadKeys();
  }

  /** Reports to RunPod that this worker cannot do jobs any more. */
  async reportUnhealthy({ reason, message = '' }: Outcome): Promise<void> {
    if (this.#queueWorker) await reportUnhealthy(this.#queueWorker, { check: reason, reason: message });
  }

  /** Stops all children, the gateway first. Resolves when none is left. */
  async stop(force: AbortSignal): Promise<void> {
    this.#engine.stopReplacing();
    this.#idleTimer.close();
    this.#isStopping = true;
    this.changed();
    await shutDown({
      queueWorker: this.#queueWorker,
      gateway: this.#gateway.process,
      engine: this.#engine.process,
      drainTimeoutMs: this.#options.config.drainTimeoutMs,
      force,
    });
    this.#engine.close();
    this.#gateway.close();
  }

  /** Kills all children at once. */
  kill(): void {
    for (const process of [this.#queueWorker, this.#engine.process, this.#gateway.process])
      process?.child?.kill();
  }

  /** What the health server shows. */
  snapshot(): HealthSnapshot {
    const { times, phase } = this.#boot;
    const { engine, gateway } = this.#crashes;
    return {
      status: this.#status,
      everReady: this.#wasReady,
      gatewayUnresponsive: this.#gateway.isUnresponsive,
      details: {
        phase,
        since: new Date(this.#statusSince).toISOString(),
        loadTimeMs: times.loaded ?? null,
        boot: times,
        restarts: { engine: this.#engine.process.restarts, gateway: this.#gateway.process.restarts },
        crashes: { engine: engine.counts, gateway: gateway.counts },
        lastCrash: this.#lastCrash ?? null,
        gatewayUp: this.#gateway.isUp,
        sleeping: this.#engine.isSleeping,
        version: packageFile.version,
        model: this.#engine.config.engine.publicName,
        idleSeconds: Math.floor(this.#idleTimer.idleMs / 1000),
        restart: this.#engine.replacement ?? null,
      },
    };
  }

  // Reports of the children.

  changed(): void {
    const next = systemStatus({
      stopping: this.#isStopping,
      failed: this.#hasFailed,
      engines: this.#engine.status,
      gatewayUp: this.#gateway.isUp,
      everReady: this.#wasReady,
    });
    this.#wasReady ||= next === 'ready';
    if (next !== this.#status) this.#setStatus(next);
    this.#reportReady();
  }

  /** An exit of the gateway. */
  exited(exit: ClassifiedExit, state: ChildState): void {
    if (state.phase !== 'stopped') this.#onGatewayCrash(exit, state);
    this.changed();
  }

  ready(): void {
    this.#idleTimer.end('boot');
  }

  crashed(exit: ClassifiedExit): void {
    this.#lastCrash = this.#crashes.engine.add(exit);
  }

  failed(_engine: Engine, failure: EngineFailure, crash?: FatalCrash): void {
    this.#fail(failure, crash);
    this.send(this.#engineState);
  }

  replacementChanged({ isReplacing }: Engine): void {
    if (isReplacing) this.#idleTimer.start('replacement');
    else this.#idleTimer.end('replacement');
    this.send(this.#engineState);
    this.changed();
  }

  send(message: SupervisorMessage): void {
    this.#gateway.process.child?.send(message);
  }

  #onMessage(message: GatewayMessage): void {
    switch (message.kind) {
      case 'restart-request': {
        const result = this.#engine.requestRestart(message.changes);
        this.send({ kind: 'restart-reply', id: message.id, result });
        break;
      }
      case 'drained':
        this.#engine.drained();
        break;
      case 'crash-cause-found':
        this.#engine.forgiveExits(message.crashes);
        break;
      case 'busy':
        this.#idleTimer.start('requests');
        break;
      default:
        this.#idleTimer.end('requests', message.forMs);
    }
  }

  /** For the gateway: sent to each new one first, and again after each change. */
  get #engineState(): EngineStateMessage {
    const { config, isReplacing, maySleep, hasFailed } = this.#engine;
    return {
      kind: 'engine-state',
      pause: isReplacing,
      modelNames: config.settings.MODEL_ALIAS ?? [],
      maySleep,
      hasFailed,
    };
  }

  #setStatus(status: BackendStatus): void {
    this.#status = status;
    this.#statusSince = Date.now();
    this.#options.events.statusChanged(status);
  }

  #reportReady(): void {
    const { times } = this.#boot;
    if (this.#status !== 'ready' || this.#isReadyReported || times['first token'] === undefined) return;
    this.#isReadyReported = true;
    this.#options.events.ready({ props: this.#engine.props, boot: times });
  }

  #onGatewayCrash(exit: ClassifiedExit, state: ChildState): void {
    this.#lastCrash = this.#crashes.gateway.add(exit);
    const restartInMs = state.phase === 'waiting' ? state.until - performance.now() : undefined;
    this.#options.events.crashed({ ...exit, restartInMs });
    // Its requests have ended with it. The next gateway reports its own.
    this.#idleTimer.end('requests');
    if (state.phase === 'given-up') this.#fail('gateway-failed', { ...exit, history: state.history });
  }

  #fail(failure: DeploymentFailure, crash?: FatalCrash): void {
    this.#hasFailed = true;
    this.changed();
    const message = failureMessage(failure, crash);
    this.#options.events.failed(message);
    this.end({ reason: failure, message });
  }

  #createEngine(): Engine {
    const { config, engine, env, log, logs, runtimeDir, events } = this.#options;
    const backend = { address: backendAddress(config, runtimeDir), apiKey: createSecret() };
    const outputLog = logs.getLog('llama-server');
    return new Engine({
      ...{ config, backend, boot: this.#boot, owner: this, events, log },
      spawn: (current, isServing) =>
        this.#record(spawnEngine({ engine, config: current, backend, env, isServing, log: outputLog })),
      plan: (current, changes) => this.#planRestart(planRestart(current, changes, env)),
    });
  }

  #planRestart(plan: RestartPlan): RestartPlan {
    if (plan.ok) for (const warning of plan.warnings) this.#options.log.warn(warning);
    return plan;
  }

  #spawnGateway(): Child {
    const { gatewayCommand, env, logs } = this.#options;
    const child = spawnGateway({
      command: gatewayCommand,
      config: this.#engine.config,
      backend: this.#engine.backend,
      queueWorkerKey: this.#queueWorkerKey,
      env,
      log: logs.getLog('gateway'),
      forward: logs.forward,
      onMessage: (message) => this.#onMessage(message),
    });
    child.send(this.#engineState);
    return this.#record(child);
  }

  /** The next start kills a child that outlives us. */
  #record(child: Child): Child {
    if (child.pid !== undefined) this.#options.runtimeDir.recordChild(child.pid);
    return child;
  }
}

function backendAddress({ backendPort }: SupervisorConfig, { socketPath }: RuntimeDir): Backend['address'] {
  return backendPort === undefined
    ? { origin: 'http://llama-server', socketPath }
    : { origin: `http://127.0.0.1:${backendPort}`, socketPath: undefined };
}

/** A secret between processes: generated at each start, passed in environments, and stored nowhere. */
function createSecret(): string {
  return randomBytes(32).toString('base64url');
}
