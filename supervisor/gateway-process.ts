import { recordUnhandledError } from '../log/unhandled-errors.ts';
import type { Boot } from './boot.ts';
import type { SupervisorConfig } from './config.ts';
import { type CrashClass, classifyCrash } from './engine/crash-class.ts';
import type { ChildOwner, SupervisorEvents } from './events.ts';
import { exitCodes } from './exit-codes.ts';
import { monitorGateway } from './gateway-monitor.ts';
import { waitForGateway } from './probe-gateway.ts';
import type { Child, ChildExit } from './process/child.ts';
import type { ChildEvent, ChildState } from './process/child-state.ts';
import { ManagedProcess } from './process/managed-process.ts';
import { gatewayPolicy } from './process/restart-policy.ts';

export interface GatewayProcessOptions {
  readonly config: Pick<SupervisorConfig, 'host' | 'port' | 'hangTimeoutMs' | 'policy'>;
  readonly boot: Boot;
  readonly spawn: () => Child;
  readonly owner: ChildOwner;
  readonly events: SupervisorEvents;
}

/** The gateway as a child: probed until it responds, and killed if it stops responding. */
export class GatewayProcess {
  readonly process: ManagedProcess;
  readonly #options: GatewayProcessOptions;
  /** Aborted when the running gateway exits. */
  #lifetime = new AbortController();
  /** Resolves when the running gateway has its port. */
  #port = Promise.withResolvers<void>();
  #hasResponded = false;
  #isUnresponsive = false;
  #isHung = false;
  #monitor: Disposable | undefined;

  constructor(options: GatewayProcessOptions) {
    this.#options = options;
    this.process = new ManagedProcess({
      spawn: options.spawn,
      policy: gatewayPolicy(options.config.policy),
      classifyExit: (exit) => this.#classifyExit(exit),
      onStarted: () => this.#onStarted(),
      onExit: (exit, state) => this.#onExit(exit, state),
    });
  }

  /** It has responded since its last start, and still does. */
  get isUp(): boolean {
    return this.#hasResponded && !this.#isUnresponsive;
  }

  /** It has responded since its last start, but not for some seconds. */
  get isUnresponsive(): boolean {
    return this.#isUnresponsive;
  }

  /** The running gateway has its port: before that, another program may respond there. */
  hasPort(): void {
    this.#port.resolve();
  }

  /** A gateway that has not started yet would be killed by the signal, and reads the keys anyway. */
  reloadKeys(): void {
    if (this.#hasResponded) this.process.child?.signal('SIGHUP');
  }

  close(): void {
    this.#lifetime.abort();
    this.#monitor?.[Symbol.dispose]();
  }

  #classify(exit: ChildExit): CrashClass {
    return classifyCrash(exit, { hung: this.#isHung });
  }

  #classifyExit(exit: ChildExit): ChildEvent {
    if (exit.code === exitCodes.configuration) return 'exited-fatally';
    return this.#hasResponded ? 'exited' : { loadFailure: this.#classify(exit) };
  }

  #onStarted(): void {
    const { config } = this.#options;
    this.#isHung = false;
    this.#lifetime = new AbortController();
    this.#port = Promise.withResolvers();
    this.#awaitFirstResponse(this.#lifetime.signal).catch(recordUnhandledError);
    this.#monitor = monitorGateway({
      ...config,
      hasResponded: () => this.#hasResponded,
      onResponsivenessChange: (isUnresponsive) => this.#onResponsivenessChange(isUnresponsive),
      onHung: () => this.#killHung(),
    });
  }

  #onExit(exit: ChildExit, state: ChildState): void {
    this.close();
    const classified = {
      who: 'gateway',
      exit,
      crash: this.#classify(exit),
      wasReady: this.#hasResponded,
    } as const;
    this.#hasResponded = false;
    this.#isUnresponsive = false;
    this.#options.owner.exited(classified, state);
  }

  async #awaitFirstResponse(signal: AbortSignal): Promise<void> {
    const { config, boot, owner } = this.#options;
    await this.#port.promise;
    if (!(await waitForGateway(config.host, config.port, signal))) return;
    this.#hasResponded = true;
    boot.markReached('gateway up');
    owner.changed();
  }

  #onResponsivenessChange(isUnresponsive: boolean): void {
    const before = this.#isUnresponsive;
    this.#isUnresponsive = isUnresponsive && this.#hasResponded && this.process.state.phase === 'running';
    if (this.#isUnresponsive === before) return;
    this.#options.events.gatewayResponsivenessChanged(this.#isUnresponsive);
    this.#options.owner.changed();
  }

  /** A gateway that was asked to stop has closed its port and exits within its grace period. */
  #killHung(): void {
    if (this.process.state.phase !== 'running') return;
    this.#isHung = true;
    this.#options.events.gatewayHung();
    this.process.child?.kill();
  }
}
