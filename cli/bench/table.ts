import { align } from '../output.ts';
import { type Comparison, type Difference, regressions } from './compare.ts';
import { type BenchMetric, benchMetrics, formatMetric } from './metrics.ts';
import type { Report, StepReport } from './report.ts';

const metricNamed = (name: string) => benchMetrics.find((metric) => metric.name === name);
const rates = ['requests', 'tokens', 'stream'].flatMap((name) => metricNamed(name) ?? []);
const distributions = ['ttft', 'itl', 'latency', 'queue'];
const ranks = ['p50', 'p90', 'p95', 'p99'];

/** The table for people: one row per step. */
export function reportTable({ steps }: Report): string {
  const shown = distributions.filter((name) =>
    steps.some((step) => metricNamed(`${name}.p50`)?.read(step) != null),
  );
  const headings = [
    'STEP',
    'DONE',
    'FAILED',
    ...rates.map(({ heading }) => heading.toUpperCase()),
    ...shown.map((name) => `${name.toUpperCase()} MS`),
  ];
  const rows = steps.map((step) => [
    step.name,
    ...countsOf(step),
    ...shown.map((name) => ranksOf(step, name)),
  ]);
  return `${align([headings, ...rows])}\nTimes: ${ranks.join(' / ')}.`;
}

function countsOf(step: StepReport): string[] {
  const { done, failed } = step.requests;
  return [
    done.toLocaleString('en-US'),
    failed.toLocaleString('en-US'),
    ...rates.map((metric) => formatMetric(metric.read(step), metric.unit)),
  ];
}

function ranksOf(step: StepReport, name: string): string {
  const values = ranks.map((rank) => metricNamed(`${name}.${rank}`)?.read(step) ?? null);
  return values.every((value) => value === null)
    ? '-'
    : values.map((value) => formatMetric(value, 'ms')).join(' / ');
}

/** Errors of each step by kind; empty without errors. */
export function errorTable({ steps }: Report): string {
  const rows = steps.flatMap(({ name, errors }) =>
    errors.map(({ kind, count }) => [name, kind, count.toLocaleString('en-US')]),
  );
  return rows.length === 0 ? '' : align([['STEP', 'ERROR', 'COUNT'], ...rows]);
}

/** Metrics that are worse than tolerated, or a statement that there are none. */
export function comparisonTable(comparison: Comparison): string {
  const worse = regressions(comparison);
  if (worse.length === 0)
    return `No regression in ${comparison.differences.length} metrics compared with the baseline.`;
  return align([
    ['STEP', 'REGRESSION', 'BEFORE', 'NOW', 'WORSE BY', 'TOLERANCE'],
    ...worse.map(differenceRow),
  ]);
}

export const differenceRow = ({ step, metric, before, now, worseBy, tolerance }: Difference) => [
  step,
  metric.name,
  formatMetric(before, metric.unit),
  formatMetric(now, metric.unit),
  formatWorsening(metric, worseBy),
  formatWorsening(metric, tolerance),
];

function formatWorsening({ unit }: BenchMetric, share: number): string {
  return `${(share * 100).toFixed(1)}${unit === 'share' ? ' points' : '%'}`;
}

/** Rejections by the limits of a key, and not for want of capacity. */
const limitErrors = /^429 (?:rate_limit_exceeded|insufficient_quota)/;

/** With more failures, as a share of the requests of a step, the figures are those of another load. */
const MAX_FAILED = 0.1;

export const failedTooOften = ({ requests: { done, failed } }: StepReport): boolean =>
  failed > MAX_FAILED * (done + failed);

/** Notes that are needed to interpret the results. */
export function reportNotes({ steps, isInterrupted }: Report): string[] {
  const about = (holds: (step: StepReport) => boolean, note: string) => {
    const names = steps.filter(holds).map(({ name }) => name);
    return names.length === 0 ? [] : [`${names.join('; ')}: ${note}`];
  };
  return [
    ...(isInterrupted ? ['Interrupted: these are partial results.'] : []),
    ...about(({ isPartial }) => isPartial, 'interrupted before the end.'),
    ...about(
      ({ client }) => client.wasBottleneck,
      'this client or its machine was too busy to measure well; the endpoint may be faster. Reduce the load, or measure from another machine.',
    ),
    ...about(
      ({ errors }) => errors.some(({ kind }) => limitErrors.test(kind)),
      'the limits of this API key were measured, not the endpoint. Raise them for the measurement: corral keys update ID --rpm 0 --tpm 0 --tpd 0',
    ),
    ...about(
      ({ requests }) => requests.done === 0 && requests.failed > 0,
      'no request completed; see the errors.',
    ),
    ...about(
      (step) => step.requests.done > 0 && failedTooOften(step),
      'more than a tenth of the requests failed: the figures are those of a smaller load; see the errors.',
    ),
    ...about(
      ({ requests, requestsPerSecond }) => requests.done > 0 && requestsPerSecond === 0,
      'no request completed within the duration; increase --duration to get a request rate.',
    ),
    ...about(
      ({ tokens, requests }) => tokens.from === 'counted' && requests.done > 0,
      'the endpoint reports no usage; each chunk of a stream is counted as one token.',
    ),
    ...about(
      ({ requests }) => requests.resent > 0,
      'some requests were resent because the server had closed the kept-alive connection; latency counts from the first attempt.',
    ),
  ];
}
