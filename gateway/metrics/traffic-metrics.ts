import type { Registry } from 'prom-client';
import { generation, type MetricSample, queue, requests } from './catalogue.ts';
import { registerHistograms, registerSamples, registerValue } from './register.ts';
import type { ModelTraffic, Traffic } from './traffic.ts';

export function registerTrafficMetrics(registry: Registry, traffic: Traffic): void {
  registerSamples(registry, requests.total, () =>
    [...traffic.requests.values()].map(({ labels, count }) => [labels, count] as const),
  );
  registerSamples(registry, requests.errors, () =>
    [...traffic.errors].map(([code, count]) => [{ code }, count] as const),
  );
  registerValue(registry, requests.bytes, () => traffic.bytes);
  registerValue(registry, requests.replays, () => traffic.replays);
  registerValue(registry, requests.resumed, () => traffic.resumed);
  registerHistograms(registry, queue.wait, () =>
    Object.entries(traffic.queueTimes).map(([priority, histogram]) => [{ priority }, histogram] as const),
  );
  registerGenerationMetrics(registry, () => [...traffic.models]);
}

function registerGenerationMetrics(registry: Registry, models: () => readonly ModelTraffic[]): void {
  registerHistograms(registry, generation.duration, () => models().flatMap(durationHistograms));
  registerHistograms(registry, generation.firstToken, () =>
    models().map(({ labels, firstToken }) => [labels, firstToken] as const),
  );
  registerHistograms(registry, generation.perToken, () =>
    models().map(({ labels, perToken }) => [labels, perToken] as const),
  );
  registerHistograms(registry, generation.usage, () => models().flatMap(usageHistograms));
  registerSamples(registry, generation.input, () => sumByModel(models(), ({ input }) => input.sum));
  registerSamples(registry, generation.cached, () => sumByModel(models(), ({ cached }) => cached));
  registerSamples(registry, generation.output, () => sumByModel(models(), ({ output }) => output.sum));
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
