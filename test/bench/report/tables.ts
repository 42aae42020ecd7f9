import type { Findings } from '../checks/check.ts';
import type { LoadReport } from '../load-generator.ts';
import type { ComparedLoad } from '../loads.ts';
import { median, medianRatio } from '../rounds.ts';

/** A value of a load report. */
export interface Column {
  readonly heading: string;
  readonly value: (report: LoadReport) => number;
  /** Shows the ratio to nginx. */
  readonly isCompared?: boolean;
  /** Shows the minimum and maximum. */
  readonly hasRange?: boolean;
}

export const requestsPerSecond: Column = {
  heading: 'requests/s',
  value: (report) => report.requestsPerSecond,
  isCompared: true,
  hasRange: true,
};
export const eventsPerSecond: Column = {
  heading: 'events/s',
  value: (report) => report.eventsPerSecond,
  isCompared: true,
  hasRange: true,
};
export const cpuPerRequest: Column = {
  heading: 'CPU µs/request',
  value: ({ cpuSeconds, requests }) => (cpuSeconds * 1e6) / requests,
  isCompared: true,
};
export const cpuPerEvent: Column = {
  heading: 'CPU µs/event',
  value: ({ cpuSeconds, events }) => (cpuSeconds * 1e6) / events,
  isCompared: true,
};
const memory: Column = { heading: 'memory MB', value: ({ memoryMb }) => memoryMb };
/** CPU of the measuring core. Near 100 it limits what is measured. */
const harness: Column = {
  heading: 'harness core %',
  value: ({ upstreamCpuSeconds, ownCpuSeconds, seconds }) =>
    ((upstreamCpuSeconds + ownCpuSeconds) / seconds) * 100,
};
export const latency = (part: 'p50' | 'p95' | 'p99'): Column => ({
  heading: `${part} ms`,
  value: ({ latencyMs }) => latencyMs?.[part] ?? Number.NaN,
});
export const firstEvent = (part: 'p50' | 'p99'): Column => ({
  heading: `first event ${part} ms`,
  value: ({ firstEventMs }) => firstEventMs?.[part] ?? Number.NaN,
});
export const gap: Column = { heading: 'gap p99 ms', value: ({ gapMs }) => gapMs?.p99 ?? Number.NaN };

const plainColumns = [requestsPerSecond, latency('p50'), latency('p99'), cpuPerRequest, harness, memory];
const quietColumns = [latency('p50'), latency('p95'), latency('p99'), cpuPerRequest];
const oneStreamColumns = [firstEvent('p50'), firstEvent('p99'), cpuPerRequest];
const streamColumns = [eventsPerSecond, firstEvent('p50'), gap, cpuPerEvent, harness, memory];

export function columnsOf({ tokens = 0, connections, rate = 0 }: ComparedLoad): readonly Column[] {
  if (tokens > 0) return connections === 1 ? oneStreamColumns : streamColumns;
  return rate > 0 || connections === 1 ? quietColumns : plainColumns;
}

/** The reports of each contender, round by round. */
export type LoadResults = Readonly<Record<string, readonly LoadReport[]>>;

/** Shows the medians of the rounds, and the medians of each round's ratio to nginx if it was measured. */
export function loadTable(columns: readonly Column[], results: LoadResults): string {
  const base = results.nginx;
  const headings = columns.flatMap(({ heading, isCompared }) =>
    isCompared && base !== undefined ? [heading, '× nginx'] : [heading],
  );
  const rows = Object.entries(results).map(([contender, reports]) => [
    contender,
    ...columns.flatMap((column) => cellsOf(column, reports, base)),
  ]);
  return markdownTable(['', ...headings], rows);
}

function cellsOf(
  { value, isCompared, hasRange }: Column,
  reports: readonly LoadReport[],
  base: readonly LoadReport[] | undefined,
): string[] {
  const values = reports.map(value);
  const cell = hasRange ? formatWithRange(values) : formatNumber(median(values));
  if (!isCompared || base === undefined) return [cell];
  return [cell, formatNumber(medianRatio(values, base.map(value)), 2)];
}

/** The median, with the minimum and maximum if there are several values. */
export function formatWithRange(values: readonly number[]): string {
  const range =
    values.length > 1 ? ` (${formatNumber(Math.min(...values))}–${formatNumber(Math.max(...values))})` : '';
  return formatNumber(median(values)) + range;
}

/** A row for each contender, a column for each value that any of them has. */
export function findingsTable(findings: Findings): string {
  const headings = [...new Set(Object.values(findings).flatMap((row) => Object.keys(row)))];
  const rows = Object.entries(findings).map(([name, row]) => [
    name,
    ...headings.map((heading) => formatNumber(row[heading] ?? Number.NaN)),
  ]);
  return markdownTable(['', ...headings], rows);
}

/** The first column is aligned to the left, the others to the right. */
export function markdownTable(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [headings, headings.map((_, column) => (column === 0 ? '---' : '---:')), ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** Three significant digits by default; a dash for NaN. */
export function formatNumber(value: number, digits = value >= 100 ? 0 : value >= 10 ? 1 : 2): string {
  if (Number.isNaN(value)) return '–';
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
