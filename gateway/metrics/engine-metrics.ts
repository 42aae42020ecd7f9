import type { Backend } from '../../health/backend.ts';
import type { BackendMonitor } from '../../health/backend-monitor.ts';
import { requestBackend } from '../../health/request-backend.ts';
import { cacheFor } from '../http/cache-for.ts';
import type { Scheduler } from '../scheduler/scheduler.ts';
import { cacheUsage } from './cache-usage.ts';
import { engineMetricLines } from './engine-metric-lines.ts';

const FRESH_FOR = 1000;
const PATIENCE = 500;

/** What llama-server says of itself. */
export interface EngineMetrics {
  /** Its own metrics; undefined where it does not tell them. */
  readonly lines: string | undefined;
  /** 0 to 1. */
  readonly cacheInUse: number;
}

export interface EngineMetricsOptions {
  readonly backend: Backend;
  readonly watch: Pick<BackendMonitor, 'status' | 'since'>;
  readonly admission: Pick<Scheduler, 'counts' | 'granted'>;
  /** Whether its slots share one context. */
  readonly unified: boolean;
}

const nothing: EngineMetrics = { lines: undefined, cacheInUse: 0 };

/**
 * Reads llama-server's own metrics for all who scrape us, once a second at the most. While nothing has gone to it since
 * the last reading it is left alone: nothing can have changed, and a question keeps older builds from falling asleep.
 */
export class EngineMetricsReader {
  readonly #parts: EngineMetricsOptions;
  /** What the last reading was made after; undefined where it was made while the engine was at work. */
  #readAfter: string | undefined;
  #last: EngineMetrics = nothing;
  readonly read = cacheFor(FRESH_FOR, () => this.#read());

  constructor(parts: EngineMetricsOptions) {
    this.#parts = parts;
  }

  async #read(): Promise<EngineMetrics> {
    const { watch, admission } = this.#parts;
    if (watch.status !== 'ready') return nothing;
    const past = `${watch.since} ${admission.granted}`;
    const isIdle = admission.counts.leased === 0;
    if (isIdle && this.#readAfter === past) return this.#last;
    this.#last = { lines: await this.#lines(), cacheInUse: isIdle ? 0 : await this.#cacheInUse() };
    this.#readAfter = isIdle && this.#last.lines !== undefined ? past : undefined;
    return this.#last;
  }

  async #lines(): Promise<string | undefined> {
    const text = await this.#ask('/metrics');
    return text === undefined ? undefined : engineMetricLines(text) || undefined;
  }

  /** Asked only while requests run, as this question wakes one that sleeps. */
  async #cacheInUse(): Promise<number> {
    const slots = await this.#ask('/slots');
    const inUse = slots === undefined ? undefined : cacheUsage(slots, this.#parts.unified);
    return inUse ?? this.#last.cacheInUse;
  }

  async #ask(path: string): Promise<string | undefined> {
    const answer = await requestBackend(this.#parts.backend, { path, timeoutMs: PATIENCE });
    return answer.outcome === 'answered' && answer.status === 200 ? answer.body : undefined;
  }
}
