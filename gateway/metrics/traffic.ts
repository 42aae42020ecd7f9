import type { Registry } from 'prom-client';
import type { Priority } from '../../keys/key.ts';
import { HOUR } from '../../settings/durations.ts';
import { getOperation, type Operation, routeLabel } from '../api/route-table.ts';
import type { Usage } from '../api/usage.ts';
import type { RequestFinished, RequestOutcome, RequestRecord } from '../proxy/request-record.ts';
import {
  batches,
  generation,
  type MetricDefinition,
  type MetricSample,
  models,
  queue,
  requests,
} from './catalogue.ts';
import { BoundedLabel, HistogramData } from './counting.ts';
import { registerHistograms, registerSamples, registerValue } from './register.ts';

/** Codes come from our catalogue and a few from the backend; more than this would be an attempt to fill the memory. */
const MAX_CODES = 80;

interface RequestCount {
  readonly status: number;
  readonly labels: { readonly route: string; readonly status: string; readonly outcome: string };
  count: number;
}

/** Request counters as plain numbers, updated once at the end of each request. Nothing is done per token. */
export class Traffic {
  /** By route: few for each. */
  readonly #requests = new Map<string, RequestCount[]>();
  readonly errors = new Map<string, number>();
  readonly queueTimes: Readonly<Record<Priority, HistogramData>> = {
    high: new HistogramData(queue.wait.bounds),
    normal: new HistogramData(queue.wait.bounds),
    low: new HistogramData(queue.wait.bounds),
  };
  /** By model, then by operation. */
  readonly #models = new Map<string, Map<Operation, ModelTraffic>>();
  readonly #codes = new BoundedLabel(MAX_CODES);
  bytes = 0;
  replays = 0;
  resumed = 0;
  preempted = 0;
  discardedTokens = 0;

  get requests(): readonly RequestCount[] {
    return [...this.#requests.values()].flat();
  }

  get models(): Iterable<ModelTraffic> {
    return [...this.#models.values()].flatMap((operations) => [...operations.values()]);
  }

  add({ record, end, pattern, priority = 'normal' }: RequestFinished): void {
    const route = routeLabel(pattern);
    const error = record.error === undefined ? undefined : this.#codes.limit(record.error);
    this.#countRequest(route, end);
    if (error !== undefined) this.errors.set(error, (this.errors.get(error) ?? 0) + 1);
    this.bytes += record.bytesOut;
    this.replays += record.retries ?? 0;
    this.resumed += record.continued ?? 0;
    this.preempted += record.preempted ?? 0;
    this.discardedTokens += record.discardedTokens ?? 0;
    // Batches may wait for hours: their waits would hide those of clients.
    if (record.queuedMs !== undefined && priority !== 'batch')
      this.queueTimes[priority].observe(record.queuedMs / 1000);
    // Nothing was generated for it.
    if (record.cache !== 'hit') this.#countGeneration(route, record, end, error);
  }

  #countRequest(route: string, { status, outcome }: RequestOutcome): void {
    const counts = this.#requests.get(route);
    const known = counts?.find((one) => one.status === status && one.labels.outcome === outcome);
    if (known !== undefined) {
      known.count += 1;
      return;
    }
    const labels = { route, status: String(status), outcome };
    const first: RequestCount = { status, labels, count: 1 };
    if (counts === undefined) this.#requests.set(route, [first]);
    else counts.push(first);
  }

  #countGeneration(
    route: string,
    record: RequestRecord,
    end: RequestOutcome,
    error: string | undefined,
  ): void {
    const model = this.#getModel(route, record.model);
    if (model === undefined) return;
    const { startedAt, endedAt = performance.now(), firstByteAt, usage, streamed } = record;
    const hasLeft = end.outcome === 'client_left';
    model.recordDuration((endedAt - startedAt) / 1000, error ?? (hasLeft ? 'client_left' : ''));
    if (usage) model.recordUsage(usage);
    model.machineMs += (record.computeMs ?? 0) * (record.machineShare ?? 0);
    if (!streamed || firstByteAt === undefined || !(hasLeft || end.outcome === 'ok')) return;
    model.firstToken.observe((firstByteAt - startedAt) / 1000);
    const laterTokens = (usage?.output ?? 0) - 1;
    if (end.outcome === 'ok' && laterTokens > 0)
      model.perToken.observe((endedAt - firstByteAt) / laterTokens / 1000);
  }

  /** Undefined for a request that ended before its model was known, and for routes that only count tokens. */
  #getModel(route: string, model: string | undefined): ModelTraffic | undefined {
    const operation = getOperation(route);
    if (operation === undefined || model === undefined) return undefined;
    let operations = this.#models.get(model);
    if (operations === undefined) {
      operations = new Map();
      this.#models.set(model, operations);
    }
    let traffic = operations.get(operation);
    if (traffic === undefined) {
      traffic = new ModelTraffic(operation, model);
      operations.set(operation, traffic);
    }
    return traffic;
  }
}

interface ModelLabels {
  readonly gen_ai_operation_name: Operation;
  readonly gen_ai_provider_name: string;
  readonly gen_ai_request_model: string;
}

interface UsageLabels extends ModelLabels {
  readonly gen_ai_token_type: 'input' | 'output';
}

interface Durations {
  readonly labels: ModelLabels & { readonly error_type: string };
  readonly histogram: HistogramData;
}

/** The counters of one model and operation. */
class ModelTraffic {
  readonly labels: ModelLabels;
  readonly inputLabels: UsageLabels;
  readonly outputLabels: UsageLabels;
  /** By error; '' is none. */
  readonly durations = new Map<string, Durations>();
  readonly firstToken = new HistogramData(generation.firstToken.bounds);
  readonly perToken = new HistogramData(generation.perToken.bounds);
  readonly input = new HistogramData(generation.usage.bounds);
  readonly output = new HistogramData(generation.usage.bounds);
  cached = 0;
  drafted = 0;
  accepted = 0;
  machineMs = 0;

  constructor(operation: Operation, model: string) {
    this.labels = {
      gen_ai_operation_name: operation,
      gen_ai_provider_name: 'llama_cpp',
      gen_ai_request_model: model,
    };
    this.inputLabels = { ...this.labels, gen_ai_token_type: 'input' };
    this.outputLabels = { ...this.labels, gen_ai_token_type: 'output' };
  }

  recordDuration(seconds: number, error: string): void {
    let durations = this.durations.get(error);
    if (durations === undefined) {
      durations = {
        labels: { ...this.labels, error_type: error },
        histogram: new HistogramData(generation.duration.bounds),
      };
      this.durations.set(error, durations);
    }
    durations.histogram.observe(seconds);
  }

  recordUsage({ input, cached, output, drafts }: Usage): void {
    this.input.observe(input);
    this.cached += cached;
    this.drafted += drafts?.drafted ?? 0;
    this.accepted += drafts?.accepted ?? 0;
    if (this.#generatesText) this.output.observe(output);
  }

  get #generatesText(): boolean {
    const { gen_ai_operation_name: operation } = this.labels;
    return operation !== 'embeddings' && operation !== 'rerank';
  }
}

export function registerTrafficMetrics(registry: Registry, traffic: Traffic): void {
  registerSamples(registry, requests.total, () =>
    traffic.requests.map(({ labels, count }) => [labels, count] as const),
  );
  registerSamples(registry, requests.errors, () =>
    [...traffic.errors].map(([code, count]) => [{ code }, count] as const),
  );
  registerValue(registry, requests.bytes, () => traffic.bytes);
  registerValue(registry, requests.replays, () => traffic.replays);
  registerValue(registry, requests.resumed, () => traffic.resumed);
  registerValue(registry, batches.preemptions, () => traffic.preempted);
  registerValue(registry, batches.discarded, () => traffic.discardedTokens);
  registerHistograms(registry, queue.wait, () =>
    Object.entries(traffic.queueTimes).map(([priority, histogram]) => [{ priority }, histogram] as const),
  );
  registerGenerationMetrics(registry, () => [...traffic.models]);
}

/** `traffic` is undefined with one model, whose machine time is that of all keys. */
export function registerMachineTimeMetrics(
  registry: Registry,
  traffic: Pick<Traffic, 'models'> | undefined,
  costPerHour: number | undefined,
): void {
  const register = (metric: MetricDefinition<'model'>, perMs: number | undefined) =>
    registerSamples(registry, metric, () =>
      traffic === undefined || perMs === undefined
        ? []
        : sumByModel([...traffic.models], ({ machineMs }) => machineMs * perMs),
    );
  register(models.machine, 1 / 1000);
  register(models.cost, costPerHour === undefined ? undefined : costPerHour / HOUR);
}

function registerGenerationMetrics(registry: Registry, all: () => readonly ModelTraffic[]): void {
  registerHistograms(registry, generation.duration, () => all().flatMap(durationHistograms));
  registerHistograms(registry, generation.firstToken, () =>
    all().map(({ labels, firstToken }) => [labels, firstToken] as const),
  );
  registerHistograms(registry, generation.perToken, () =>
    all().map(({ labels, perToken }) => [labels, perToken] as const),
  );
  registerHistograms(registry, generation.usage, () => all().flatMap(usageHistograms));
  registerSamples(registry, generation.input, () => sumByModel(all(), ({ input }) => input.sum));
  registerSamples(registry, generation.cached, () => sumByModel(all(), ({ cached }) => cached));
  const speculating = () => all().filter(({ drafted }) => drafted > 0);
  registerSamples(registry, generation.drafted, () => sumByModel(speculating(), ({ drafted }) => drafted));
  registerSamples(registry, generation.accepted, () => sumByModel(speculating(), ({ accepted }) => accepted));
  registerSamples(registry, generation.output, () => sumByModel(all(), ({ output }) => output.sum));
}

function durationHistograms({ durations }: ModelTraffic) {
  return [...durations.values()].map(({ labels, histogram }) => [labels, histogram] as const);
}

function usageHistograms({ inputLabels, input, outputLabels, output }: ModelTraffic) {
  return [
    [inputLabels, input],
    [outputLabels, output],
  ] as const;
}

/** Adds up the operations of each model. */
function sumByModel(
  models: readonly ModelTraffic[],
  pick: (model: ModelTraffic) => number,
): MetricSample<'model'>[] {
  const sums = new Map<string, number>();
  for (const traffic of models) {
    const model = traffic.labels.gen_ai_request_model;
    sums.set(model, (sums.get(model) ?? 0) + pick(traffic));
  }
  return [...sums].map(([model, value]) => [{ model }, value]);
}
