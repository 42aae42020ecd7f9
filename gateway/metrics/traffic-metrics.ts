import type { Registry } from 'prom-client';
import { HOUR } from '../../settings/durations.ts';
import type { UsageSums } from '../proxy/usage-sums.ts';
import type { MetricDefinition, MetricSample } from './catalogue.ts';
import { generation, perKey, queue, requests } from './catalogue.ts';
import type { KeyTraffic } from './key-traffic.ts';
import type { ModelTraffic } from './model-traffic.ts';
import { registerHistograms, registerSamples, registerValue } from './register.ts';
import type { Traffic } from './traffic.ts';

export function registerTrafficMetrics(registry: Registry, traffic: Traffic): void {
  registerSamples(registry, requests.total, () =>
    [...traffic.requests.values()].map(({ labels, count }) => [labels, count] as const),
  );
  registerSamples(registry, requests.errors, () =>
    [...traffic.refusals].map(([code, count]) => [{ code }, count] as const),
  );
  registerValue(registry, requests.bytes, () => traffic.bytes);
  registerValue(registry, requests.replays, () => traffic.replays);
  registerValue(registry, requests.resumed, () => traffic.continued);
  registerHistograms(registry, queue.wait, () =>
    Object.entries(traffic.waits).map(([priority, spread]) => [{ priority }, spread] as const),
  );
}

export function registerGenerationMetrics(registry: Registry, traffic: Traffic): void {
  const models = () => [...traffic.models];
  registerHistograms(registry, generation.duration, () => models().flatMap(durationsOf));
  registerHistograms(registry, generation.firstToken, () =>
    models().map(({ labels, firstToken }) => [labels, firstToken] as const),
  );
  registerHistograms(registry, generation.perToken, () =>
    models().map(({ labels, perToken }) => [labels, perToken] as const),
  );
  registerHistograms(registry, generation.usage, () => models().flatMap(usageOf));
  const sum = (pick: (model: ModelTraffic) => number) => () => byModel(models(), pick);
  registerSamples(
    registry,
    generation.input,
    sum(({ input }) => input.sum),
  );
  registerSamples(
    registry,
    generation.cached,
    sum(({ cached }) => cached),
  );
  registerSamples(
    registry,
    generation.output,
    sum(({ output }) => output.sum),
  );
}

function durationsOf({ durations }: ModelTraffic) {
  return [...durations.values()].map(({ labels, spread }) => [labels, spread] as const);
}

function usageOf({ inputLabels, input, outputLabels, output }: ModelTraffic) {
  return [
    [inputLabels, input],
    [outputLabels, output],
  ] as const;
}

function byModel(
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

export function registerKeyMetrics(
  registry: Registry,
  keys: KeyTraffic,
  costPerHour: number | undefined,
): void {
  const show = (family: MetricDefinition<'key'>, pick: (sums: UsageSums) => number) =>
    registerSamples(registry, family, () =>
      [...keys.all].map(({ labels, sums }) => [labels, pick(sums)] as const),
    );
  show(perKey.requests, (sums) => sums.requests);
  show(perKey.errors, (sums) => sums.errors);
  show(perKey.input, (sums) => sums.input);
  show(perKey.cached, (sums) => sums.cached);
  show(perKey.output, (sums) => sums.output);
  show(perKey.machine, (sums) => sums.machineMs / 1000);
  if (costPerHour !== undefined) show(perKey.cost, (sums) => (sums.machineMs / HOUR) * costPerHour);
}
