import type { Registry } from 'prom-client';
import type { StoreStatistics } from '../../store/statistics.ts';
import { type MetricSample, store as metrics } from './catalogue.ts';
import { registerSamples, registerValue } from './register.ts';

export interface StoreReadings {
  /** Undefined without a store, and while it cannot be read. */
  readonly store: StoreStatistics | undefined;
  /** The status that the supervisor reports; undefined without a supervisor. */
  readonly supervisor: { readonly runnerUp?: boolean | undefined } | undefined;
}

/** Files, batches, responses and conversations. Nothing is shown without a store. */
export function registerStoreMetrics(registry: Registry, readings: StoreReadings): void {
  registerSamples(registry, metrics.batches, () => byName(readings.store?.batches, (status) => ({ status })));
  registerValue(registry, metrics.paused, () => readings.store?.paused);
  registerSamples(registry, metrics.lines, () => byName(readings.store?.lines, (result) => ({ result })));
  registerSamples(registry, metrics.tokens, () => {
    const { store } = readings;
    const tokens = store && { input: store.inputTokens, output: store.outputTokens };
    return byName(tokens, (kind) => ({ tokens: kind }));
  });
  registerValue(registry, metrics.responses, () => readings.store?.responses);
  registerSamples(registry, metrics.background, () =>
    byName(readings.store?.background, (status) => ({ status })),
  );
  registerValue(registry, metrics.conversations, () => readings.store?.conversations);
  registerValue(registry, metrics.bytes, () => readings.store?.bytes);
  registerValue(registry, metrics.limit, () => readings.store?.maxBytes);
  registerValue(registry, metrics.runnerUp, () => {
    const isUp = readings.supervisor?.runnerUp;
    return isUp === undefined ? undefined : Number(isUp);
  });
}

function byName<Label extends string>(
  counts: Readonly<Record<string, number>> = {},
  toLabels: (name: string) => Readonly<Record<Label, string>>,
): MetricSample<Label>[] {
  return Object.entries(counts).map(([name, count]) => [toLabels(name), count]);
}
