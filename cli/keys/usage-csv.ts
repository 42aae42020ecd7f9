import type { UsageReport } from '../../gateway/usage/usage-report.ts';

const figures = [
  'requests',
  'errors',
  'inputTokens',
  'cachedTokens',
  'outputTokens',
  'queueSeconds',
  'computeSeconds',
  'machineSeconds',
  'cost',
] as const;

/** For a spreadsheet: a line for each key or day, no total, as whoever reads it adds up. */
export function usageCsv({ by, usage }: UsageReport): string {
  const names = by === 'key' ? ['key', ...figures, 'lastUsed'] : ['day', ...figures];
  const lines = usage.map((line) => names.map((name) => String(line[name as keyof typeof line] ?? '')));
  return [names, ...lines].map((cells) => cells.map(quoted).join(',')).join('\r\n');
}

function quoted(cell: string): string {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
