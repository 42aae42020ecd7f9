import type { StepReport, Summary } from './report.ts';

export interface BenchMetric {
  /** Name for `--tolerance`. */
  readonly name: string;
  readonly heading: string;
  readonly unit: 'ms' | 'per second' | 'share';
  readonly better: 'lower' | 'higher';
  /** Null if the step has no value. */
  read(step: StepReport): number | null;
}

type DistributionName = 'ttftMs' | 'itlMs' | 'latencyMs' | 'queueWaitMs' | 'streamTokensPerSecond';
type Rank = Exclude<keyof Summary, 'curve' | 'count'>;

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
  },
  {
    name: 'tokens',
    heading: 'tok/s',
    unit: 'per second',
    better: 'higher',
    read: ({ tokensPerSecond }) => tokensPerSecond,
  },
  {
    name: 'stream',
    heading: 'tok/s each',
    unit: 'per second',
    better: 'higher',
    read: ({ streamTokensPerSecond }) => streamTokensPerSecond?.p50 ?? null,
  },
  ...ranked('ttft', 'TTFT', 'ttftMs', ranks),
  ...ranked('itl', 'ITL', 'itlMs', ranks),
  ...ranked('latency', 'latency', 'latencyMs', ranks),
  ...ranked('queue', 'queue', 'queueWaitMs', ranks),
  { name: 'errors', heading: 'errors', unit: 'share', better: 'lower', read: errorShare },
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
