import type { ComparedLoad } from './loads.ts';
import type { Measured } from './measure.ts';

/** The rounds of one contender under one load. */
export interface Rounds {
  readonly contender: string;
  readonly rounds: readonly Measured[];
}

interface Column {
  readonly heading: string;
  readonly of: (one: Measured) => number;
  /** Whether its ratio to nginx is told. */
  readonly isCompared: boolean;
}

const common: readonly Column[] = [
  { heading: 'latency p50 ms', of: ({ report }) => report.latencyMs?.p50 ?? Number.NaN, isCompared: false },
  { heading: 'p99', of: ({ report }) => report.latencyMs?.p99 ?? Number.NaN, isCompared: false },
];

const plain: readonly Column[] = [
  { heading: 'requests/s', of: ({ report }) => report.requestsPerSecond, isCompared: true },
  ...common,
  { heading: 'CPU µs/request', of: ({ cpuPerRequest }) => cpuPerRequest, isCompared: true },
];

const streams: readonly Column[] = [
  { heading: 'tokens/s', of: ({ report }) => report.tokensPerSecond, isCompared: true },
  { heading: 'TTFT p50 ms', of: ({ report }) => report.ttftMs?.p50 ?? Number.NaN, isCompared: false },
  { heading: 'p99', of: ({ report }) => report.ttftMs?.p99 ?? Number.NaN, isCompared: false },
  { heading: 'gap p99 ms', of: ({ report }) => report.itlMs?.p99 ?? Number.NaN, isCompared: false },
  { heading: 'CPU µs/token', of: ({ cpuPerToken }) => cpuPerToken, isCompared: true },
];

/** Medians of the rounds, and the medians of each round's ratio to nginx. */
export function comparisonTable({ title, isStream }: ComparedLoad, all: readonly Rounds[]): string {
  const columns = isStream ? streams : plain;
  const headings = columns.flatMap(({ heading, isCompared }) =>
    isCompared ? [heading, '× nginx'] : [heading],
  );
  const base = all.find(({ contender }) => contender === 'nginx')?.rounds ?? [];
  const rows = all.map(({ contender, rounds }) => [
    contender,
    ...columns.flatMap((column) => cellsOf(column, rounds, base)),
  ]);
  const lines = [['', ...headings], ['---', ...headings.map(() => '---:')], ...rows];
  return `### ${title}\n\n${lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}\n`;
}

function cellsOf(
  { of, isCompared }: Column,
  rounds: readonly Measured[],
  base: readonly Measured[],
): string[] {
  const value = show(median(rounds.map(of)));
  if (!isCompared) return [value];
  const ratios = rounds.flatMap((one, round) => {
    const nginx = base[round];
    return nginx ? [of(one) / of(nginx)] : [];
  });
  return [value, median(ratios).toFixed(2)];
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2;
}

function show(value: number): string {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
