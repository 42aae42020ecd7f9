import { curveShares, formatLoad, type StepReport, type Summary } from '../report.ts';

export interface Point {
  readonly x: number;
  readonly y: number;
  /** Tooltip. */
  readonly tooltip: string;
}

export interface Series {
  readonly name: string;
  readonly points: readonly Point[];
}

export interface Chart {
  readonly title: string;
  readonly x: { readonly label: string; readonly scale: Scale; show(value: number): string };
  readonly y: { readonly label: string; readonly scale: Scale; show(value: number): string };
  readonly series: readonly Series[];
  /** Whether to mark each point, as single measurements. */
  readonly hasMarks: boolean;
}

const formatNumber = (value: number): string =>
  value.toLocaleString('en-US', {
    maximumSignificantDigits: value >= 1000 ? 21 : 3,
    maximumFractionDigits: 0,
  });

type Rank = 'p50' | 'p95' | 'p99';

/** Charts over the load: one line per prompt length or percentile. Empty without values. */
export function loadCharts(steps: readonly StepReport[]): Chart[] {
  const ttft = lengthsOf(steps).map((tokens) => {
    const these = steps.filter(({ promptTokens }) => promptTokens === tokens);
    const lines = (['p50', 'p95', 'p99'] as const).map((rank) => ({
      name: rank,
      value: rankOf('ttftMs', rank),
    }));
    return overLoads(`Time to first token${forPrompt(tokens)}`, 'ms', steps, lines, () => these);
  });
  const byLength = (title: string, unit: string, value: Value) =>
    overLoads(
      title,
      unit,
      steps,
      lengthsOf(steps).map((tokens) => ({ name: promptName(tokens), value, tokens })),
      ({ tokens }) => steps.filter(({ promptTokens }) => promptTokens === tokens),
    );
  return [
    ...ttft,
    byLength('Total throughput', 'tokens/s', ({ tokensPerSecond }) => tokensPerSecond),
    byLength(
      'Throughput per stream, median',
      'tokens/s',
      ({ streamTokensPerSecond: one }) => one?.p50 ?? null,
    ),
    byLength('Requests', 'requests/s', ({ requestsPerSecond }) => requestsPerSecond),
    byLength('Time between tokens, 95th percentile', 'ms', rankOf('itlMs', 'p95')),
    byLength('Queue time, 95th percentile', 'ms', rankOf('queueWaitMs', 'p95')),
  ].filter(({ series }) => series.length > 0);
}

type Value = (step: StepReport) => number | null;
type DistributionName = 'ttftMs' | 'itlMs' | 'latencyMs' | 'queueWaitMs';

const rankOf =
  (distribution: DistributionName, rank: Rank): Value =>
  (step) =>
    step[distribution]?.[rank] ?? null;

const lengthsOf = (steps: readonly StepReport[]) => [
  ...new Set(steps.map(({ promptTokens }) => promptTokens)),
];
const promptName = (tokens: number | null) => (tokens === null ? 'prompts file' : `${tokens} tokens in`);
const forPrompt = (tokens: number | null) => (tokens === null ? '' : `, ${promptName(tokens)}`);

function overLoads<Line extends { readonly name: string; readonly value: Value }>(
  title: string,
  unit: string,
  steps: readonly StepReport[],
  lines: readonly Line[],
  stepsOf: (line: Line) => readonly StepReport[],
): Chart {
  const loads = [...new Set(steps.map(({ load }) => formatLoad(load)))];
  const series = lines
    .map((line) => ({
      name: line.name,
      points: stepsOf(line).flatMap((step) => {
        const y = line.value(step);
        const tooltip = `${step.name}: ${line.name} ${formatNumber(y ?? 0)} ${unit}`;
        return y === null ? [] : [{ x: loads.indexOf(formatLoad(step.load)), y, tooltip }];
      }),
    }))
    .filter(({ points }) => points.length > 0);
  const { label, prefix } = nameOfLoads(steps);
  const show = (index: number) => (loads[index] ?? '').slice(prefix.length);
  return {
    title,
    x: { label, scale: namedScale(loads.length), show },
    y: { label: unit, scale: linearScale(greatest(series)), show: formatNumber },
    series,
    hasMarks: true,
  };
}

/** The common part of all loads is the label of the axis. */
function nameOfLoads(steps: readonly StepReport[]): { readonly label: string; readonly prefix: string } {
  const kinds = new Set(steps.map(({ load }) => load.kind));
  if (kinds.size > 1) return { label: 'offered load', prefix: '' };
  return kinds.has('closed')
    ? { label: 'concurrent clients', prefix: 'concurrency ' }
    : { label: 'offered requests', prefix: 'rate ' };
}

const greatest = (series: readonly Series[]) =>
  series.reduce((most, { points }) => points.reduce((sofar, { y }) => Math.max(sofar, y), most), 0);

/** Cumulative distribution over a logarithmic scale: one line per step. */
export function distributionCharts(steps: readonly StepReport[]): Chart[] {
  return [
    distribution('Time to first token', steps, ({ ttftMs }) => ttftMs),
    distribution('Time between tokens', steps, ({ itlMs }) => itlMs),
    distribution('Latency of whole requests', steps, ({ latencyMs }) => latencyMs),
  ].flatMap((chart) => chart ?? []);
}

function distribution(
  title: string,
  steps: readonly StepReport[],
  summaryOf: (step: StepReport) => Summary | null,
): Chart | undefined {
  const series = steps.flatMap((step) => {
    const summary = summaryOf(step);
    return summary ? [{ name: step.name, points: curveOf(step.name, summary) }] : [];
  });
  const times = series.flatMap(({ points }) => points.map(({ x }) => x));
  if (times.length === 0) return undefined;
  return {
    title,
    x: { label: 'ms', scale: logScale(Math.min(...times), Math.max(...times)), show: formatNumber },
    y: { label: '% of values below', scale: linearScale(100), show: formatNumber },
    series,
    hasMarks: false,
  };
}

const curveOf = (name: string, { curve }: Summary): Point[] =>
  curve.map((ms, index) => {
    const share = curveShares[index] ?? 100;
    return { x: ms, y: share, tooltip: `${name}: ${share}% up to ${formatNumber(ms)} ms` };
  });

/** Charts of one step over time. */
export function timelineCharts({ timeline, seconds }: StepReport): Chart[] {
  const along = (
    title: string,
    unit: string,
    lines: Readonly<Record<string, (index: number) => number | null>>,
  ) => {
    const series = Object.entries(lines)
      .map(([name, value]) => ({ name, points: pointsAlong(timeline, name, unit, value) }))
      .filter(({ points }) => points.some(({ y }) => y > 0));
    const x = { label: 'seconds', scale: linearScale(seconds), show: formatNumber };
    const y = { label: unit, scale: linearScale(greatest(series)), show: formatNumber };
    return { title, x, y, series, hasMarks: false };
  };
  return [
    along('Tokens', 'tokens/s', { tokens: (n) => timeline[n]?.tokensPerSecond ?? null }),
    along('First tokens, median', 'ms', { TTFT: (n) => timeline[n]?.ttftMs ?? null }),
    along('Requests', 'requests/s', {
      done: (n) => timeline[n]?.requestsPerSecond ?? null,
      failed: (n) => timeline[n]?.failuresPerSecond ?? null,
    }),
  ].filter(({ series }) => series.length > 0);
}

function pointsAlong(
  timeline: StepReport['timeline'],
  name: string,
  unit: string,
  value: (index: number) => number | null,
): Point[] {
  return timeline.flatMap(({ second }, index) => {
    const y = value(index);
    return y === null
      ? []
      : [{ x: second, y, tooltip: `second ${second}: ${name} ${formatNumber(y)} ${unit}` }];
  });
}

/** Maps values to an axis, with its ticks. */
interface Scale {
  readonly ticks: readonly number[];
  /** From 0 at the start of the axis to 1 at its end. */
  place(value: number): number;
}

/** From 0 to a round number above the maximum. */
export function linearScale(most: number): Scale {
  const step = roundUp(Math.max(most, 1e-9) / 4);
  const count = Math.max(1, Math.ceil(most / step - 1e-9));
  const end = step * count;
  return {
    ticks: Array.from({ length: count + 1 }, (_, n) => n * step),
    place: (value) => value / end,
  };
}

/** From the power of ten below the minimum to the one above the maximum; all values must be above 0. */
export function logScale(least: number, most: number): Scale {
  const first = Math.floor(Math.log10(least) + 1e-9);
  const last = Math.max(first + 1, Math.ceil(Math.log10(most) - 1e-9));
  return {
    ticks: Array.from({ length: last - first + 1 }, (_, n) => 10 ** (first + n)),
    place: (value) => (Math.log10(value) - first) / (last - first),
  };
}

/** Evenly spaced names; values are their indexes. */
export function namedScale(count: number): Scale {
  return {
    ticks: Array.from({ length: count }, (_, n) => n),
    place: (index) => (count === 1 ? 0.5 : 0.04 + (index / (count - 1)) * 0.92),
  };
}

/** 1, 2, 2.5 or 5 times a power of ten. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const factor = [1, 2, 2.5, 5, 10].find((one) => one * power >= value * (1 - 1e-9)) ?? 10;
  return factor * power;
}
