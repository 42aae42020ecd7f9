import type { Backend } from '../../health/backend.ts';
import type { BackendMonitor } from '../../health/backend-monitor.ts';
import { requestBackend } from '../../health/request-backend.ts';
import { cacheFor } from '../http/cache-for.ts';
import type { Scheduler } from '../scheduler/scheduler.ts';

const MAX_AGE = 1000;
const TIMEOUT = 500;

export interface EngineMetrics {
  /** The engine's own metrics as text; undefined if it did not provide them. */
  readonly lines: string | undefined;
  /** Fraction of the context that running requests fill, 0 to 1. */
  readonly contextUsage: number;
}

export interface EngineMetricsOptions {
  /** Undefined with several models. */
  readonly backend: Backend | undefined;
  readonly backendMonitor: Pick<BackendMonitor, 'status' | 'since'>;
  readonly scheduler: Pick<Scheduler, 'counts' | 'granted'>;
  /** Whether the slots share one context. */
  readonly unified: boolean;
}

export const noEngineMetrics: EngineMetrics = { lines: undefined, contextUsage: 0 };

/**
 * Reads llama-server's metrics at most once per second, for all scrapers together. If no request has been sent to it since
 * the last reading, nothing can have changed and it is not asked: a request keeps older builds from going to sleep.
 */
export class EngineMetricsReader {
  readonly #options: EngineMetricsOptions;
  /** What had been sent to the engine at the last reading; undefined if it was busy then. */
  #lastReadAt: string | undefined;
  #last: EngineMetrics = noEngineMetrics;
  readonly read = cacheFor(MAX_AGE, () => this.#read());

  constructor(options: EngineMetricsOptions) {
    this.#options = options;
  }

  async #read(): Promise<EngineMetrics> {
    const { backendMonitor, scheduler } = this.#options;
    if (backendMonitor.status !== 'ready') return noEngineMetrics;
    const readAt = `${backendMonitor.since} ${scheduler.granted}`;
    const isIdle = scheduler.counts.leased === 0;
    if (isIdle && this.#lastReadAt === readAt) return this.#last;
    this.#last = {
      lines: await this.#readLines(),
      contextUsage: isIdle ? 0 : await this.#readContextUsage(),
    };
    this.#lastReadAt = isIdle && this.#last.lines !== undefined ? readAt : undefined;
    return this.#last;
  }

  async #readLines(): Promise<string | undefined> {
    const text = await this.#get('/metrics');
    return text === undefined ? undefined : filterEngineMetrics(text) || undefined;
  }

  /** Called only while requests run, as a request to `/slots` wakes a sleeping engine. */
  async #readContextUsage(): Promise<number> {
    const slots = await this.#get('/slots');
    const usage = slots === undefined ? undefined : parseContextUsage(slots, this.#options.unified);
    return usage ?? this.#last.contextUsage;
  }

  async #get(path: string): Promise<string | undefined> {
    const { backend } = this.#options;
    if (backend === undefined) return undefined;
    const response = await requestBackend(backend, { path, timeoutMs: TIMEOUT });
    return response.outcome === 'responded' && response.status === 200 ? response.body : undefined;
  }
}

/** Averages since the last scrape by any scraper, so wrong for all others. Prometheus computes them from the counters. */
const resetByScrape = new Set(['llamacpp:prompt_tokens_seconds', 'llamacpp:predicted_tokens_seconds']);

const metricLine = /^(?:# (?:HELP|TYPE) )?(llamacpp:\w+)(?:[ {].*)$/;

/** llama-server's metrics unchanged, without those that a scrape resets and without lines that are not metrics. */
export function filterEngineMetrics(text: string): string {
  const kept = text.split('\n').filter((line) => {
    const name = metricLine.exec(line)?.[1];
    return name !== undefined && !resetByScrape.has(name);
  });
  return kept.map((line) => `${line}\n`).join('');
}

interface Slot {
  readonly n_ctx?: unknown;
  readonly is_processing?: unknown;
  /** All tokens in the context, including generated ones. */
  readonly n_prompt_tokens?: unknown;
}

/**
 * The fraction of the context that running requests fill, 0 to 1, from the response of `/slots`; undefined if it cannot
 * be determined. With `unified`, the slots share one context and each reports all of it.
 */
export function parseContextUsage(body: string, unified: boolean): number | undefined {
  const slots = parseSlots(body);
  if (slots.length === 0) return undefined;
  const contexts = slots.map(({ n_ctx }) => (typeof n_ctx === 'number' ? n_ctx : 0));
  const size = unified ? Math.max(...contexts) : contexts.reduce((sum, context) => sum + context, 0);
  const used = slots.reduce(
    (sum, { is_processing, n_prompt_tokens: tokens }) =>
      is_processing === true && typeof tokens === 'number' ? sum + tokens : sum,
    0,
  );
  return size > 0 ? Math.min(used / size, 1) : undefined;
}

function parseSlots(body: string): Slot[] {
  try {
    const slots: unknown = JSON.parse(body);
    return Array.isArray(slots) ? slots.filter((slot) => typeof slot === 'object' && slot !== null) : [];
  } catch {
    return [];
  }
}
