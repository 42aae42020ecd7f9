import type {
  EngineStateMessage,
  GatewayMessage,
  SettingChanges,
  SupervisorMessage,
} from '../health/supervisor-messages.ts';
import type { Log } from '../log/create-log.ts';
import type { SupervisorConfig } from './config.ts';
import { logCrash } from './crash-messages.ts';
import { EngineConfigs, EngineReplacement, type ReplacementReport } from './engine-replacement.ts';
import type { LoadFailure } from './events.ts';
import { IdleTimer } from './idle-timer.ts';
import { planRestart, type RestartPlan } from './plan-restart.ts';
import type { ChildExit } from './process/child.ts';

/** What the controller needs from the deployment. */
export interface RestartTarget {
  replaceEngine(): void;
  sendToGateway(message: SupervisorMessage): void;
  /** Something that affects the status has changed. */
  changed(): void;
  /** The last `count` exits of the engine were caused by a single request. */
  forgiveEngineExits(count: number): void;
  /** There were no requests for `IDLE_SHUTDOWN_SECONDS`. */
  idle(): void;
}

export interface RestartControllerOptions {
  readonly config: SupervisorConfig;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  readonly target: RestartTarget;
}

/** Exchanges messages with the gateway, and decides with which configuration and for how long the engine runs. */
export class RestartController {
  readonly #options: RestartControllerOptions;
  readonly #configs: EngineConfigs;
  readonly #replacement: EngineReplacement;
  readonly #idleTimer: IdleTimer;
  #engineHasFailed = false;

  constructor(options: RestartControllerOptions) {
    const { config, target } = options;
    this.#options = options;
    this.#configs = new EngineConfigs(config);
    this.#idleTimer = new IdleTimer({ limitMs: config.idleShutdownMs, onLimit: () => target.idle() });
    this.#replacement = new EngineReplacement({
      configs: this.#configs,
      plan: (changes) => this.#plan(changes),
      drainTimeoutMs: config.drainTimeoutMs,
      replaceEngine: () => target.replaceEngine(),
      onChange: (report) => this.#onReplacementChange(report),
    });
  }

  /** The configuration of the next child that starts. */
  get config(): SupervisorConfig {
    return this.#configs.current;
  }

  /** llama-server may be found sleeping. */
  get maySleep(): boolean {
    return Boolean(this.config.engine.sleepIdleMs);
  }

  get isReplacing(): boolean {
    return this.#replacement.isInProgress;
  }

  /** For the gateway: sent to each new one first, and again after each change. */
  get engineState(): EngineStateMessage {
    return {
      kind: 'engine-state',
      pause: this.isReplacing,
      modelNames: this.config.settings.MODEL_ALIAS ?? [],
      maySleep: this.maySleep,
      hasFailed: this.#engineHasFailed,
    };
  }

  /** For `/status`. */
  get details() {
    return {
      model: this.config.engine.publicName,
      idleSeconds: Math.floor(this.#idleTimer.idleMs / 1000),
      restart: this.#replacement.report ?? null,
    };
  }

  onMessage(message: GatewayMessage): void {
    const { target } = this.#options;
    switch (message.kind) {
      case 'restart-request':
        target.sendToGateway({
          kind: 'restart-reply',
          id: message.id,
          result: this.#replacement.request(message.changes),
        });
        break;
      case 'drained':
        this.#replacement.drained();
        break;
      case 'crash-cause-found':
        target.forgiveEngineExits(message.crashes);
        break;
      case 'busy':
        this.#idleTimer.start('requests');
        break;
      default:
        this.#idleTimer.end('requests', message.forMs);
    }
  }

  /** Its requests have ended with it. The next gateway reports its own. */
  gatewayCrashed(): void {
    this.#idleTimer.end('requests');
  }

  /** The engine was stopped from outside or on purpose: no request caused it. */
  engineStoppedFromOutside(): void {
    this.#options.target.sendToGateway({ kind: 'engine-stopped-from-outside' });
  }

  engineReady(): void {
    this.#replacement.engineReady();
    this.#idleTimer.end('boot');
  }

  /**
   * The engine did not load. If it ran with a candidate configuration, drops that and returns true: the next engine
   * starts as before.
   */
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

  /** The engine will not be restarted. */
  engineFailed(): void {
    this.#engineHasFailed = true;
    this.#options.target.sendToGateway(this.engineState);
  }

  stop(): void {
    this.#replacement.stop();
    this.#idleTimer.close();
  }

  #plan(changes: SettingChanges): RestartPlan {
    const plan = planRestart(this.config, changes, this.#options.env);
    if (plan.ok) for (const warning of plan.warnings) this.#options.log.warn(warning);
    return plan;
  }

  #onReplacementChange({ state, changes, failure }: ReplacementReport): void {
    const fields = { changes: changes.join(', ') || undefined, failure: failure ?? undefined };
    this.#options.log.info(fields, `restart of llama-server: ${state}`);
    if (this.#replacement.isInProgress) this.#idleTimer.start('replacement');
    else this.#idleTimer.end('replacement');
    this.#options.target.sendToGateway(this.engineState);
    this.#options.target.changed();
  }
}
