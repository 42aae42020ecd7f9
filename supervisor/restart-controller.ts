import type {
  EngineStateMessage,
  GatewayMessage,
  SettingChanges,
  SupervisorMessage,
} from '../health/supervisor-messages.ts';
import type { Log } from '../log/create-log.ts';
import type { SupervisorConfig } from './config.ts';
import { EnginePlan } from './engine-plan.ts';
import type { LoadFailure } from './engine-process.ts';
import { EngineReplacement, type ReplacementReport } from './engine-replacement.ts';
import { logCrash } from './failure-messages.ts';
import { IdleTimer } from './idle-timer.ts';
import { planRestart } from './plan-restart.ts';
import type { ChildExit } from './process/child.ts';

export interface RestartControllerOptions {
  readonly config: SupervisorConfig;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  readonly replaceEngine: () => void;
  readonly tellGateway: (message: SupervisorMessage) => void;
  /** What the house stands for may have changed. */
  readonly onChange: () => void;
  /** So many ends of the engine were the doing of one request. */
  readonly onCulprit: (deaths: number) => void;
  /** Nobody has wanted anything for `IDLE_SHUTDOWN_SECONDS`. */
  readonly onIdle: () => void;
}

/** Talks with the gateway, and decides what it is told: how the engine is started, and whether anybody needs it. */
export class RestartController {
  readonly #options: RestartControllerOptions;
  readonly #plan: EnginePlan;
  readonly #replacement: EngineReplacement;
  readonly #idleClock: IdleTimer;
  #isLost = false;

  constructor(options: RestartControllerOptions) {
    const { config, replaceEngine } = options;
    this.#options = options;
    this.#plan = new EnginePlan(config);
    this.#idleClock = new IdleTimer({ limitMs: config.idleShutdownMs, onLimit: options.onIdle });
    this.#replacement = new EngineReplacement({
      plan: this.#plan,
      check: (changes) => this.#check(changes),
      drainTimeoutMs: config.drainTimeoutMs,
      replaceEngine,
      onChange: (report) => this.#follow(report),
    });
  }

  /** What the next child is started with. */
  get config(): SupervisorConfig {
    return this.#plan.current;
  }

  get orders(): EngineStateMessage {
    const { settings, engine } = this.config;
    return {
      kind: 'orders',
      pause: this.#replacement.isUnderWay,
      modelNames: settings.MODEL_ALIAS ?? [],
      maySleep: Boolean(engine.sleepIdleMs),
      hasFailed: this.#isLost,
    };
  }

  get isReplacing(): boolean {
    return this.#replacement.isUnderWay;
  }

  /** For `/status`. */
  get details() {
    return {
      model: this.config.engine.publicName,
      idleSeconds: Math.floor(this.#idleClock.idleMs / 1000),
      restart: this.#replacement.report ?? null,
    };
  }

  hear(message: GatewayMessage): void {
    if (message.kind === 'restart-wanted') this.#answer(message.id, message.changes);
    else if (message.kind === 'holding') this.#replacement.held();
    else if (message.kind === 'culprit') this.#options.onCulprit(message.deaths);
    else if (message.kind === 'busy') this.#idleClock.began('requests');
    else this.#idleClock.ended('requests', message.forMs);
  }

  /** Its requests have ended with it; the next one tells of its own. */
  gatewayEnded(): void {
    this.#idleClock.ended('requests');
  }

  /** As house.ts has it. */
  engineEndedBlamelessly(): void {
    this.#options.tellGateway({ kind: 'engine-ended-blamelessly' });
  }

  engineReady(): void {
    this.#replacement.engineReady();
    this.#idleClock.ended('boot');
  }

  /** As tend-engine.ts asks it. */
  takeBack(failure: LoadFailure, end: ChildExit | undefined): boolean {
    if (!this.#replacement.takeBack(failure)) return false;
    const { log } = this.#options;
    if (end && failure !== 'load-timed-out' && failure !== 'is-router')
      logCrash(log, { who: 'llama-server', end, crash: failure, restartInMs: 0 });
    log.error({ class: failure }, 'the changed engine did not load: it is started as before');
    return true;
  }

  /** The engine will not be started again. */
  engineLost(): void {
    this.#isLost = true;
    this.#options.tellGateway(this.orders);
  }

  stop(): void {
    this.#replacement.stop();
    this.#idleClock.close();
  }

  #answer(id: number, changes: SettingChanges): void {
    const verdict = this.#replacement.ask(changes);
    this.#options.tellGateway({ kind: 'restart-answer', id, result: verdict });
  }

  #check(changes: SettingChanges) {
    const planned = planRestart(this.config, changes, this.#options.env);
    if (planned.ok) for (const warning of planned.warnings) this.#options.log.warn(warning);
    return planned;
  }

  #follow({ state, changes, failure }: ReplacementReport): void {
    const why = { changes: changes.join(', ') || undefined, failure: failure ?? undefined };
    this.#options.log.info(why, `restart of llama-server: ${state}`);
    if (this.#replacement.isUnderWay) this.#idleClock.began('replacement');
    else this.#idleClock.ended('replacement');
    this.#options.tellGateway(this.orders);
    this.#options.onChange();
  }
}
