import { Command, InvalidArgumentError, Option } from 'commander';
import {
  createUsageReport,
  lineName,
  parseSince,
  sinceFormat,
  type UsageGroup,
  type UsageReport,
  type UsageValues,
  usageGroups,
} from '../../gateway/usage/usage-report.ts';

import { readSettings } from '../../settings/read-settings.ts';
import { formatCount, formatMoney, formatSeconds } from '../format-values.ts';
import { align, writeJson, writeStderr, writeStdout } from '../output.ts';
import { formatAgo } from './format-key.ts';
import { jsonOption, ledgerOption, openLedger, resolveLedger } from './options.ts';

interface UsageOptions {
  readonly since: string;
  readonly by?: UsageGroup;
  readonly ledger?: string;
  readonly json?: true;
  readonly csv?: true;
}

const notes = `
Examples:
  corral keys usage                              every key, the last 30 days
  corral keys usage app --since 7d               one key, by day
  corral keys usage --since 2026-11-01 --by day
  corral keys usage app --by model               one key, by model (only with a models.json)
  COST_PER_HOUR=0.79 corral keys usage --csv > usage.csv

Days are UTC days. A running gateway writes its usage once a second.
INPUT are prompt tokens, CACHED those of them taken from the prompt cache, OUTPUT generated tokens.
An interrupted response counts the tokens generated so far.
COST is MACHINE × COST_PER_HOUR. MACHINE is the time at the engine as a share of the whole machine: a request that used
one of four slots for a minute counts 15 s. Several loaded models share the machine equally.
Idle time is not charged to any key, so the sum is less than the bill.`;

export function usageCommand(): Command {
  return new Command('usage')
    .description('show usage by key, day or model: requests, tokens, time, cost')
    .argument('[id]', 'id of one key (default: all keys)')
    .addOption(
      new Option('--since <when>', `first day: ${sinceFormat}`).argParser(since).default(since('30d'), '30d'),
    )
    .addOption(
      new Option('--by <what>', 'group by (default: key; day if a key is given)').choices(usageGroups),
    )
    .addOption(ledgerOption())
    .addOption(jsonOption().conflicts('csv'))
    .addOption(new Option('--csv', 'print CSV'))
    .addHelpText('after', notes)
    .action(usage);
}

function since(text: string): string {
  const day = parseSince(text, Date.now());
  if (day === undefined) throw new InvalidArgumentError(`It must be ${sinceFormat}.`);
  return day;
}

function usage(keyId: string | undefined, options: UsageOptions): void {
  const path = resolveLedger(options.ledger);
  const report = read(path, keyId, options);
  if (options.json) writeJson(report);
  else if (options.csv) writeStdout(usageCsv(report));
  else if (report.usage.length > 0) writeStdout(usageTable(report, Date.now()));
  if (report.usage.length === 0) writeStderr(`No usage since ${report.since} in ${path}.`);
}

function read(path: string, keyId: string | undefined, options: UsageOptions): UsageReport {
  const { COST_PER_HOUR } = readSettings(process.env).settings;
  const by = options.by ?? (keyId === undefined ? 'key' : 'day');
  const query = { since: options.since, keyId, by };
  const ledger = openLedger(path);
  try {
    const seen = new Map(ledger.seen().map((one) => [one.keyId, one]));
    return createUsageReport({
      query,
      rows: ledger.sums(query),
      costPerHour: COST_PER_HOUR,
      seen: (id) => seen.get(id),
    });
  } finally {
    ledger.close();
  }
}

const headings = ['REQUESTS', 'ERRORS', 'INPUT', 'CACHED', 'OUTPUT', 'QUEUED', 'COMPUTE', 'MACHINE'];

/** The table for people: one row per key, day or model, and the total. */
function usageTable({ by, usage, total, costPerHour }: UsageReport, now: number): string {
  const hasCost = costPerHour !== null;
  const numbers = rightAligned([
    [...headings, ...(hasCost ? ['COST'] : [])],
    ...[...usage, total].map((line) => cellsOf(line, hasCost)),
  ]);
  const names = [by.toUpperCase(), ...usage.map(lineName), 'total'];
  const last = ['LAST USED', ...usage.map(({ lastUsed }) => formatLastUse(lastUsed, now)), ''];
  const rows = names.map((name, row) => [
    name,
    ...(numbers[row] ?? []),
    by === 'key' ? (last[row] ?? '') : '',
  ]);
  return align(rows);
}

const formatLastUse = (moment: string | null | undefined, now: number) =>
  moment ? formatAgo(Date.parse(moment), now) : '-';

function cellsOf(usage: UsageValues, hasCost: boolean): string[] {
  const { requests, errors, inputTokens, cachedTokens, outputTokens } = usage;
  const counts = [requests, errors, inputTokens, cachedTokens, outputTokens].map(formatCount);
  const times = [usage.queueSeconds, usage.computeSeconds, usage.machineSeconds].map(formatSeconds);
  return [...counts, ...times, ...(hasCost ? [formatMoney(usage.cost ?? 0)] : [])];
}

function rightAligned(rows: readonly (readonly string[])[]): string[][] {
  const width = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  return rows.map((row) => row.map((cell, column) => cell.padStart(width(column))));
}

const columns = [
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

/** CSV: one row per key, day or model, without a total. */
function usageCsv({ by, usage }: UsageReport): string {
  const names = by === 'key' ? ['key', ...columns, 'lastUsed'] : [by, ...columns];
  const lines = usage.map((line) => names.map((name) => String(line[name as keyof typeof line] ?? '')));
  return [names, ...lines].map((cells) => cells.map(quoted).join(',')).join('\r\n');
}

function quoted(cell: string): string {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
