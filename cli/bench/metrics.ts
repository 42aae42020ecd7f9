import type { StepReport, Summary } from './report.ts';

export interface BenchMetric {
  /** Name for `--tolerance`. */
  readonly name: string;
  readonly heading: string;
  readonly unit: 'ms' | 'per second' | 'share';
  readonly better: 'lower' | 'higher';
  /** Null if the step has no value. */
  read(step: StepReport): number | null;
  /** Whether the step has enough values for a comparison: a p95 of four requests is the slowest of them. */
  isSteady(step: StepReport): boolean;
}

type DistributionName = 'ttftMs' | 'itlMs' | 'latencyMs' | 'queueWaitMs' | 'streamTokensPerSecond';
type Rank = Exclude<keyof Summary, 'curve' | 'count'>;

/** From so many values on, a few of them decide about a percentile, and not a single one. */
const MIN_VALUES: Readonly<Partial<Record<Rank, number>>> = { p90: 20, p95: 40, p99: 200 };

const always = () => true;

const ranked = (
  name: string,
  heading: string,
  distribution: DistributionName,
  ranks: readonly Rank[],
): BenchMetric[] =>
  ranks.map((rank) => ({
    name: `${name}.${rank}`,
    heading: `${heading} ${rank}`,
    unit: 'ms',
    better: 'lower',
    read: (step) => step[distribution]?.[rank] ?? null,
    isSteady: (step) => (step[distribution]?.count ?? 0) >= (MIN_VALUES[rank] ?? 0),
  }));

const ranks = ['p50', 'p90', 'p95', 'p99', 'max'] as const;

/** Every metric of a step. */
export const benchMetrics: readonly BenchMetric[] = [
  {
    name: 'requests',
    heading: 'req/s',
    unit: 'per second',
    better: 'higher',
    read: ({ requestsPerSecond }) => requestsPerSecond,
    isSteady: always,
  },
  {
    name: 'tokens',
    heading: 'tok/s',
    unit: 'per second',
    better: 'higher',
    read: ({ tokensPerSecond }) => tokensPerSecond,
    isSteady: always,
  },
  {
    name: 'stream',
    heading: 'tok/s each',
    unit: 'per second',
    better: 'higher',
    read: ({ streamTokensPerSecond }) => streamTokensPerSecond?.p50 ?? null,
    isSteady: always,
  },
  ...ranked('ttft', 'TTFT', 'ttftMs', ranks),
  ...ranked('itl', 'ITL', 'itlMs', ranks),
  ...ranked('latency', 'latency', 'latencyMs', ranks),
  ...ranked('queue', 'queue', 'queueWaitMs', ranks),
  { name: 'errors', heading: 'errors', unit: 'share', better: 'lower', read: errorShare, isSteady: always },
];

/** Metrics that are checked for regressions. A maximum of many values is chance. */
export const comparedMetrics = benchMetrics.filter(
  ({ name }) => !/\.(?:max|p90)$/.test(name) && !name.startsWith('queue.'),
);

function errorShare({ requests: { done, failed } }: StepReport): number {
  return failed === 0 ? 0 : failed / (done + failed);
}

/** Three significant digits, with thousands separators. */
export function formatMetric(value: number | null, unit: BenchMetric['unit']): string {
  if (value === null) return '-';
  if (unit === 'share') return value === 0 ? '0' : `${(value * 100).toFixed(value < 0.1 ? 2 : 1)}%`;
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
