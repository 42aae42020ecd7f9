export const metricSections = [
  'Requests',
  'Generation',
  'Waiting',
  'Keys',
  'The backend',
  'The house',
  'GPU',
  'The gateway itself',
  'For endpoint pickers',
] as const;
export type MetricSection = (typeof metricSections)[number];

/** One metric with all its series: what `/metrics` shows and docs/metrics.md describes. */
export interface MetricDefinition<Label extends string = string> {
  readonly section: MetricSection;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly name: string;
  readonly help: string;
  readonly labels: readonly Label[];
  /** Upper bounds of a histogram's buckets, ascending. */
  readonly bounds: readonly number[];
}

/** The labels of one series and its value. */
export type MetricSample<Label extends string> = readonly [Readonly<Record<Label, string>>, number];
