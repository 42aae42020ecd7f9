import { randomBytes } from 'node:crypto';
import type { Backend, BackendStatus } from '../health/backend.ts';
import type { HealthSnapshot } from '../health/health-response.ts';
import type { SupervisorMessage } from '../health/supervisor-messages.ts';
import type { Log } from '../log/create-log.ts';
import type { Logs } from '../log/create-logs.ts';
import { recordUnhandledError } from '../log/unhandled-errors.ts';
import packageFile from '../package.json' with { type: 'json' };
import { startBoot } from './boot.ts';
import type { SupervisorConfig } from './config.ts';
import { failureMessage } from './crash-messages.ts';
import type { CrashClass } from './engine/crash-class.ts';
import { crashHint } from './engine/crash-class.ts';
import type { InstalledEngine } from './engine/installed-engine.ts';
import { spawnEngine } from './engine/spawn-engine.ts';
import { EngineProcess } from './engine-process.ts';
import type {
  ChildCrash,
  ChildOwner,
  ClassifiedExit,
  DeploymentFailure,
  FatalCrash,
  Outcome,
  SupervisorEvents,
} from './events.ts';
import { GatewayProcess } from './gateway-process.ts';
import type { Child } from './process/child.ts';
import type { ChildState } from './process/child-state.ts';
import type { ManagedProcess } from './process/managed-process.ts';
import type { RuntimeDir } from './process/runtime-dir.ts';
import { createQueueWorker, reportUnhealthy } from './queue-worker.ts';
import { RestartController, type RestartTarget } from './restart-controller.ts';
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
  readonly events: SupervisorEvents;
}

/** How many crashes there were, by child and class. */
type CrashCounts = Record<'engine' | 'gateway', Partial<Record<CrashClass, number>>>;

/** What `/status` shows of the last crash: how it happened, but no output. */
interface LastCrash {
  readonly who: ChildCrash['who'];
  readonly class: CrashClass;
  readonly cure: string;
  readonly code: number | null;
  readonly signal: string | null;
  readonly at: string;
}

/** Owns the children (llama-server, the gateway, possibly a queue worker), and the overall status. */
export class Deployment implements ChildOwner, RestartTarget {
  readonly #options: DeploymentOptions;
  readonly #backend: Backend & { readonly apiKey: string };
  readonly #queueWorkerKey: string | undefined;
  readonly #boot = startBoot();
  readonly #restarts: RestartController;
  readonly #engine: EngineProcess;
  readonly #gateway: GatewayProcess;
  readonly #queueWorker: ManagedProcess | undefined;
  readonly #outcome = Promise.withResolvers<Outcome>();
  #status: BackendStatus = 'starting';
  #statusSince = Date.now();
  #wasReady = false;
  #isReadyReported = false;
  #isStopping = false;
  #hasFailed = false;
  readonly #crashes: CrashCounts = { engine: {}, gateway: {} };
  #lastCrash: LastCrash | undefined;

  constructor(options: DeploymentOptions) {
    const { config, env, log, logs, runtimeDir, events } = options;
    this.#options = options;
    this.#backend = { address: backendAddress(config, runtimeDir), apiKey: createSecret() };
    this.#queueWorkerKey = config.runsQueueWorker ? createSecret() : undefined;
    this.#restarts = new RestartController({ config, env, log, target: this });
    const shared = { config, boot: this.#boot, owner: this, events };
    this.#engine = new EngineProcess({
      ...shared,
      backend: this.#backend,
      spawn: (isServing) => this.#spawnEngine(isServing),
      restarts: this.#restarts,
    });
    this.#gateway = new GatewayProcess({ ...shared, spawn: () => this.#spawnGateway() });
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
    this.#engine.process.start();
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
    this.#restarts.stop();
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
        crashes: this.#crashes,
        lastCrash: this.#lastCrash ?? null,
        gatewayUp: this.#gateway.isUp,
        sleeping: this.#engine.isSleeping,
        version: packageFile.version,
        ...this.#restarts.details,
      },
    };
  }

  // Reports of the children.

  changed(): void {
    const next = systemStatus({
      stopping: this.#isStopping,
      failed: this.#hasFailed,
      replacing: this.#restarts.isReplacing,
      enginePhase: this.#engine.process.state.phase,
      backend: this.#engine.monitor.status,
      gatewayUp: this.#gateway.isUp,
      everReady: this.#wasReady,
    });
    this.#wasReady ||= next === 'ready';
    if (next !== this.#status) this.#setStatus(next);
    this.#reportReady();
  }

  exited(exit: ClassifiedExit, state: ChildState): void {
    if (exit.who === 'llama-server' && (exit.crash === 'killed' || state.phase === 'replacing'))
      this.#restarts.engineStoppedFromOutside();
    if (state.phase !== 'stopped' && state.phase !== 'replacing') this.#onCrash(exit, state);
    this.changed();
  }

  failed(failure: DeploymentFailure, crash?: FatalCrash): void {
    this.#hasFailed = true;
    this.changed();
    const message = failureMessage(failure, crash);
    if (failure !== 'gateway-failed') this.#restarts.engineFailed();
    this.#options.events.failed(message);
    this.end({ reason: failure, message });
  }

  // Requests of the restart controller.

  replaceEngine(): void {
    this.#engine.replace();
  }

  sendToGateway(message: SupervisorMessage): void {
    this.#gateway.process.child?.send(message);
  }

  forgiveEngineExits(count: number): void {
    this.#engine.forgiveExits(count).catch(recordUnhandledError);
  }

  idle(): void {
    this.end({ reason: 'idle' });
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
    this.#options.events.ready({ props: this.#engine.monitor.props, boot: times });
  }

  #onCrash(exit: ClassifiedExit, state: ChildState): void {
    this.#countCrash(exit);
    const restartInMs = state.phase === 'waiting' ? state.until - performance.now() : undefined;
    this.#options.events.crashed({ ...exit, restartInMs });
    if (exit.who === 'gateway') this.#restarts.gatewayCrashed();
    if (state.phase === 'given-up')
      this.failed(exit.who === 'gateway' ? 'gateway-failed' : 'engine-failed', {
        ...exit,
        history: state.history,
      });
  }

  #countCrash({ who, crash, exit: { code, signal } }: ClassifiedExit): void {
    const counts = this.#crashes[who === 'gateway' ? 'gateway' : 'engine'];
    counts[crash] = (counts[crash] ?? 0) + 1;
    const at = new Date().toISOString();
    this.#lastCrash = { who, class: crash, cure: crashHint(who, crash), code, signal, at };
  }

  #spawnEngine(isServing: () => boolean): Child {
    const { engine, env, logs } = this.#options;
    const log = logs.getLog('llama-server');
    const { config } = this.#restarts;
    return this.#record(spawnEngine({ engine, config, backend: this.#backend, env, isServing, log }));
  }

  #spawnGateway(): Child {
    const { gatewayCommand, env, logs } = this.#options;
    const child = spawnGateway({
      command: gatewayCommand,
      config: this.#restarts.config,
      backend: this.#backend,
      queueWorkerKey: this.#queueWorkerKey,
      env,
      log: logs.getLog('gateway'),
      forward: logs.forward,
      onMessage: (message) => this.#restarts.onMessage(message),
    });
    child.send(this.#restarts.engineState);
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
