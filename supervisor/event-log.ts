import type { BackendStatus } from '../health/backend.ts';
import type { Log } from '../log/create-log.ts';
import type { Logs } from '../log/create-logs.ts';
import { formatBootTable } from './boot.ts';
import type { SupervisorConfig } from './config.ts';
import { logClientCrash, logCrash } from './crash-messages.ts';
import { type CrashStore, createCrashRecord } from './crash-store.ts';
import type { ChildCrash, EngineEvents, ReadyReport, SupervisorEvents } from './events.ts';
import { unresponsiveAfterMs } from './gateway-monitor.ts';
import { vastLogLines, writeVastLine } from './platform/platform.ts';
import type { ChildExit } from './process/child.ts';

export interface EventLogOptions {
  readonly config: SupervisorConfig;
  readonly log: Log;
  readonly logs: Logs;
  readonly crashStore: CrashStore;
  readonly onReady?: ((report: ReadyReport) => void) | undefined;
}

/** Writes what happens to the log and keeps the crashes. */
export class EventLog implements SupervisorEvents {
  readonly #options: EventLogOptions;
  /** The version of llama-server, once known. */
  #build: string | undefined;

  constructor(options: EventLogOptions) {
    this.#options = options;
  }

  get #log(): Log {
    return this.#options.log;
  }

  statusChanged(status: BackendStatus): void {
    this.#log.info(`status: ${status}`);
  }

  ready(report: ReadyReport): void {
    const { config, onReady } = this.#options;
    this.#build = report.props?.buildInfo;
    // A table for people, the same as fields for machines.
    if (config.settings.LOG_FORMAT === 'text') this.#log.info({ table: formatBootTable(report.boot) }, 'up');
    else this.#log.info({ boot: report.boot }, 'up');
    this.#writeVastLine(vastLogLines.ready);
    onReady?.(report);
  }

  gatewayResponsivenessChanged(isUnresponsive: boolean): void {
    if (isUnresponsive) this.#log.warn(`gateway unresponsive for ${unresponsiveAfterMs / 1000} s`);
    else this.#log.info('gateway responsive again');
  }

  gatewayHung(): void {
    this.#log.error(`gateway hung: no response for ${this.#hangTimeout}`);
  }

  crashed(crash: ChildCrash): void {
    this.#recordCrash(crash, this.#log);
  }

  /** The events of one of several engines have its id; those of the only engine have none. */
  forEngine(engine?: string): EngineEvents {
    const log = engine === undefined ? this.#log : this.#log.child({ engine });
    return {
      crashed: (crash) => this.#recordCrash(crash, log, engine),
      stillLoading: (elapsedMs) => log.info(`loading model: ${Math.round(elapsedMs / 1000)} s elapsed`),
      firstTokenFailed: (reason) =>
        log.warn(`llama-server is ready but did not generate a test token: ${reason}`),
      engineHung: () => log.error(`llama-server hung: no progress for ${this.#hangTimeout}`),
    };
  }

  queueWorkerCrashed(exit: ChildExit): void {
    logClientCrash(this.#log, 'queue worker', exit);
  }

  runnerCrashed(exit: ChildExit, isFinal: boolean): void {
    logClientCrash(this.#log, 'runner', exit);
    if (isFinal) this.#log.error('the runner is not restarted: batches wait until the next start');
  }

  failed(message: string): void {
    this.#writeVastLine(`${vastLogLines.failed} ${message}`);
  }

  #recordCrash(crash: ChildCrash, log: Log, engine?: string): void {
    logCrash(log, crash);
    this.#options.crashStore.add(createCrashRecord(crash, { at: new Date(), build: this.#build, engine }));
  }

  get #hangTimeout(): string {
    return `${this.#options.config.hangTimeoutMs / 1000} s (HANG_TIMEOUT)`;
  }

  #writeVastLine(line: string): void {
    const { config, logs } = this.#options;
    writeVastLine(config.platform, logs.writeRaw, line);
  }
}
