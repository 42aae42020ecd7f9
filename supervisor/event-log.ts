import type { BackendStatus } from '../health/backend.ts';
import type { Log } from '../log/create-log.ts';
import type { Logs } from '../log/create-logs.ts';
import { formatBootTable } from './boot.ts';
import type { SupervisorConfig } from './config.ts';
import { logCrash, logQueueWorkerCrash } from './crash-messages.ts';
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
export class EventLog implements SupervisorEvents, EngineEvents {
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

  stillLoading(elapsedMs: number): void {
    this.#log.info(`loading model: ${Math.round(elapsedMs / 1000)} s elapsed`);
  }

  firstTokenFailed(reason: string): void {
    this.#log.warn(`llama-server is ready but did not generate a test token: ${reason}`);
  }

  engineHung(): void {
    this.#log.error(`llama-server hung: no progress for ${this.#hangTimeout}`);
  }

  gatewayResponsivenessChanged(isUnresponsive: boolean): void {
    if (isUnresponsive) this.#log.warn(`gateway unresponsive for ${unresponsiveAfterMs / 1000} s`);
    else this.#log.info('gateway responsive again');
  }

  gatewayHung(): void {
    this.#log.error(`gateway hung: no response for ${this.#hangTimeout}`);
  }

  crashed(crash: ChildCrash): void {
    logCrash(this.#log, crash);
    this.#options.crashStore.add(createCrashRecord(crash, { at: new Date(), build: this.#build }));
  }

  queueWorkerCrashed(exit: ChildExit): void {
    logQueueWorkerCrash(this.#log, exit);
  }

  failed(message: string): void {
    this.#writeVastLine(`${vastLogLines.failed} ${message}`);
  }

  get #hangTimeout(): string {
    return `${this.#options.config.hangTimeoutMs / 1000} s (HANG_TIMEOUT)`;
  }

  #writeVastLine(line: string): void {
    const { config, logs } = this.#options;
    writeVastLine(config.platform, logs.writeRaw, line);
  }
}
