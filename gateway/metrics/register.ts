import type { MetricType } from 'prom-client';
import type { BackendStatus } from '../../health/backend.ts';
import type { MetricDefinition, MetricSample } from './catalogue.ts';
import type { HistogramData } from './counting.ts';
import { Gauge, type Registry } from './prom-client.ts';

type Labels<Label extends string> = Readonly<Record<Label, string>>;

interface Series {
  readonly metricName?: string;
  readonly labels: { readonly le?: number | string };
  readonly sharedLabels: object;
  readonly value: number;
}

/**
 * Registers a counter or gauge whose values belong to another component. `read` is called at each scrape and returns all
 * series; series that it does not return are not shown. A scrape is faster if the labels are the same objects each time.
 */
export function registerSamples<Label extends string>(
  registry: Registry,
  metric: MetricDefinition<Label>,
  read: () => Iterable<MetricSample<Label>>,
): void {
  new ComputedMetric(registry, metric, () =>
    Array.from(read(), ([sharedLabels, value]) => ({ labels: noLabels, sharedLabels, value })),
  );
}

/** Registers a counter or gauge without labels; undefined shows nothing. */
export function registerValue(
  registry: Registry,
  metric: MetricDefinition<never>,
  read: () => number | undefined,
): void {
  registerSamples(registry, metric, () => {
    const value = read();
    return value === undefined ? [] : [[noLabels, value]];
  });
}

export function registerHistograms<Label extends string>(
  registry: Registry,
  metric: MetricDefinition<Label>,
  read: () => Iterable<readonly [Labels<Label>, HistogramData]>,
): void {
  new ComputedMetric(registry, metric, () =>
    [...read()].flatMap(([labels, data]) => histogramSeries(metric, labels, data)),
  );
}

const statuses: readonly BackendStatus[] = [
  'starting',
  'loading',
  'ready',
  'restarting',
  'failed',
  'draining',
];

/** One series per status: 1 for the current one, 0 for the others. */
export function statusSamples(current: string): MetricSample<'standing'>[] {
  return statuses.map((standing) => [{ standing }, Number(standing === current)]);
}

const noLabels = {};

function histogramSeries({ name, bounds }: MetricDefinition, sharedLabels: object, data: HistogramData) {
  const counts = data.cumulativeCounts;
  const buckets = counts.map(
    (value, index): Series => ({
      metricName: `${name}_bucket`,
      labels: { le: bounds[index] ?? '+Inf' },
      sharedLabels,
      value,
    }),
  );
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels: noLabels, sharedLabels, value: data.sum },
    { metricName: `${name}_count`, labels: noLabels, sharedLabels, value: counts.at(-1) ?? 0 },
  ];
}

/**
 * A metric of any type whose values are computed at the scrape. They are counted as plain numbers outside of prom-client,
 * as an observation there costs a microsecond on the hot path.
 *
 * `get` is prom-client's public method. Its types lack two things: a metric's type is a string at run time, and the
 * registry caches the text of `sharedLabels`, without which a scrape takes three times as long.
 */
class ComputedMetric extends Gauge {
  readonly #type: string;
  readonly #read: () => readonly Series[];

  constructor(registry: Registry, { name, help, type }: MetricDefinition, read: () => readonly Series[]) {
    super({ name, help, registers: [registry] });
    this.#type = type;
    this.#read = read;
  }

  override async get() {
    const type = this.#type as unknown as MetricType;
    return { ...(await super.get()), type, values: [...this.#read()] };
  }
}
