import type { Priority } from '../../keys/key.ts';
import { getOperation, routeLabel } from '../api/route-label.ts';
import type { RequestFinished } from '../proxy/request-events.ts';
import type { RequestOutcome } from '../proxy/request-outcome.ts';
import type { RequestRecord } from '../proxy/request-record.ts';
import { BoundedLabel } from './bounded-label.ts';
import { queue } from './catalogue.ts';
import { HistogramData } from './histogram-data.ts';
import { ModelTraffic } from './model-traffic.ts';

/** Codes come from our catalogue, and a few from the backend; more than this many would be somebody's doing. */
const MOST_CODES = 80;

export interface RequestCount {
  readonly labels: { readonly route: string; readonly status: string; readonly outcome: string };
  count: number;
}

/** What came and what became of it: plain numbers, counted once at the end of each request. Nothing is done per token. */
export class Traffic {
  readonly requests = new Map<string, RequestCount>();
  readonly refusals = new Map<string, number>();
  readonly waits: Readonly<Record<Priority, HistogramData>> = {
    high: new HistogramData(queue.wait.bounds),
    normal: new HistogramData(queue.wait.bounds),
    low: new HistogramData(queue.wait.bounds),
  };
  readonly #models = new Map<string, ModelTraffic>();
  readonly #codes = new BoundedLabel(MOST_CODES);
  bytes = 0;
  replays = 0;
  continued = 0;

  get models(): Iterable<ModelTraffic> {
    return this.#models.values();
  }

  add({ record, end, pattern, priority = 'normal' }: RequestFinished): void {
    const route = routeLabel(pattern);
    const error = record.error === undefined ? undefined : this.#codes.of(record.error);
    this.#countRequest(route, end);
    if (error !== undefined) this.refusals.set(error, (this.refusals.get(error) ?? 0) + 1);
    this.bytes += record.bytesOut;
    this.replays += record.retries ?? 0;
    this.continued += record.continued ?? 0;
    if (record.queuedMs !== undefined) this.waits[priority].observe(record.queuedMs / 1000);
    this.#countGeneration(route, record, end, error);
  }

  #countRequest(route: string, { status, outcome }: RequestOutcome): void {
    const key = `${route} ${status} ${outcome}`;
    const known = this.requests.get(key);
    if (known) known.count += 1;
    else this.requests.set(key, { labels: { route, status: String(status), outcome }, count: 1 });
  }

  #countGeneration(
    route: string,
    record: RequestRecord,
    end: RequestOutcome,
    error: string | undefined,
  ): void {
    const model = this.#modelTraffic(route, record.model);
    if (model === undefined) return;
    const { startedAt, endedAt = performance.now(), firstByteAt, usage, streamed } = record;
    const left = end.outcome === 'client_left';
    model.recordDuration((endedAt - startedAt) / 1000, error ?? (left ? 'client_left' : ''));
    if (usage) model.recordUsage(usage);
    if (!streamed || firstByteAt === undefined || !(left || end.outcome === 'ok')) return;
    model.firstToken.observe((firstByteAt - startedAt) / 1000);
    const later = (usage?.output ?? 0) - 1;
    if (end.outcome === 'ok' && later > 0) model.perToken.observe((endedAt - firstByteAt) / later / 1000);
  }

  /** Undefined for a request that never came so far that its model was known, and for those that only count. */
  #modelTraffic(route: string, model: string | undefined): ModelTraffic | undefined {
    const operation = getOperation(route);
    if (operation === undefined || model === undefined) return undefined;
    const key = `${operation} ${model}`;
    let traffic = this.#models.get(key);
    if (traffic === undefined) {
      traffic = new ModelTraffic(operation, model);
      this.#models.set(key, traffic);
    }
    return traffic;
  }
}
