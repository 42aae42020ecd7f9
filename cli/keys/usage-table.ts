import type { UsageReport, UsageValues } from '../../gateway/usage/usage-report.ts';
import { align } from '../align.ts';
import { formatAgo } from './format-key.ts';

const headings = ['REQUESTS', 'ERRORS', 'INPUT', 'CACHED', 'OUTPUT', 'QUEUED', 'COMPUTE', 'MACHINE'];

/** For a person: a line for each key or day, and the total. */
export function usageTable({ by, usage, total, costPerHour }: UsageReport, now: number): string {
  const hasCost = costPerHour !== null;
  const numbers = rightAligned([
    [...headings, ...(hasCost ? ['COST'] : [])],
    ...[...usage, total].map((line) => cellsOf(line, hasCost)),
  ]);
  const names = [by.toUpperCase(), ...usage.map((line) => line.key ?? line.day ?? ''), 'total'];
  const last = ['LAST USED', ...usage.map(({ lastUsed }) => showLast(lastUsed, now)), ''];
  const rows = names.map((name, row) => [
    name,
    ...(numbers[row] ?? []),
    by === 'key' ? (last[row] ?? '') : '',
  ]);
  return align(rows);
}

const showLast = (moment: string | null | undefined, now: number) =>
  moment ? formatAgo(Date.parse(moment), now) : '-';

function cellsOf(figures: UsageValues, hasCost: boolean): string[] {
  const { requests, errors, inputTokens, cachedTokens, outputTokens } = figures;
  const counts = [requests, errors, inputTokens, cachedTokens, outputTokens].map(showCount);
  const times = [figures.queueSeconds, figures.computeSeconds, figures.machineSeconds].map(formatSeconds);
  return [...counts, ...times, ...(hasCost ? [showMoney(figures.cost ?? 0)] : [])];
}

/** `1,234,567`, whatever the machine's language. */
const showCount = (count: number) => count.toLocaleString('en-US');

/** `12.3s`, `4m 05s`, `2h 03m`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 59.95) return `${seconds.toFixed(1)}s`;
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}m ${twoDigits(whole % 60)}s`;
  return `${showCount(Math.floor(minutes / 60))}h ${twoDigits(minutes % 60)}m`;
}

const twoDigits = (value: number) => String(value).padStart(2, '0');

/** Cents, and further where there is less than one unit. */
const showMoney = (amount: number) => (amount >= 1 || amount === 0 ? amount.toFixed(2) : amount.toFixed(4));

function rightAligned(rows: readonly (readonly string[])[]): string[][] {
  const width = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  return rows.map((row) => row.map((cell, column) => cell.padStart(width(column))));
}
