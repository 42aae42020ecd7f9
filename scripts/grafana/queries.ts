import type { MetricDefinition } from '../../gateway/metrics/catalogue.ts';

/** Selects the series of a metric on the selected instances; `matchers` as in PromQL. */
export function selector({ name }: Pick<MetricDefinition, 'name'>, matchers = ''): string {
  return `${name}{${['instance=~"$instance"', matchers].filter((part) => part !== '').join(', ')}}`;
}

/** The rate per second of a counter. */
export function rate(metric: Pick<MetricDefinition, 'name'>, matchers = ''): string {
  return `rate(${selector(metric, matchers)}[$__rate_interval])`;
}

const part = ({ name }: MetricDefinition, ending: string) => ({ name: `${name}${ending}` });

/** A percentile of a histogram; for each value of `label`, if given. */
export function percentile(metric: MetricDefinition, hundredth: number, label?: string): string {
  const by = ['le', label].filter((one) => one !== undefined).join(', ');
  return `histogram_quantile(${hundredth / 100}, sum by (${by}) (${rate(part(metric, '_bucket'))}))`;
}

/** The mean of a histogram. */
export function mean(metric: MetricDefinition, matchers = ''): string {
  return `sum(${rate(part(metric, '_sum'), matchers)}) / sum(${rate(part(metric, '_count'), matchers)})`;
}

/** The usual three percentiles. */
export const percentiles = (metric: MetricDefinition) =>
  [50, 95, 99].map((hundredth) => ({ expr: percentile(metric, hundredth), legend: `${hundredth} %` }));
