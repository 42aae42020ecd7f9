import { Command, InvalidArgumentError, Option } from 'commander';
import type { LedgerFile } from '../../gateway/usage/ledger-file.ts';
import {
  groupsFormat,
  parseGroups,
  parseSince,
  parseUntil,
  sinceFormat,
  type UsageGroup,
} from '../../gateway/usage/usage-query.ts';
import {
  createUsageReport,
  lineNames,
  type UsageReport,
  type UsageValues,
} from '../../gateway/usage/usage-report.ts';
import { readSettings } from '../../settings/read-settings.ts';
import { formatAgo, formatCount, formatMoney, formatSeconds } from '../format-values.ts';
import { jsonOption } from '../options.ts';
import { formatCsv, writeJson, writeStderr, writeStdout, writeTable } from '../output.ts';
import { UsageError } from '../run-command.ts';
import { requireKnownKey } from './find-key.ts';
import { ledgerOption, openLedger, resolveLedger } from './ledger.ts';

interface UsageOptions {
  readonly since: string;
  readonly until?: string;
  readonly by?: readonly UsageGroup[];
  readonly byUser?: true;
  readonly ledger?: string;
  readonly json?: true;
  readonly csv?: true;
}

const notes = `
Examples:
  corral keys usage                              every key, the last 30 days
  corral keys usage app --since 7d               one key, by day
  corral keys usage --since 2026-09 --until 2026-12 --by month,key     from September to November
  corral keys usage app --by model               one key, by model (only with a models.json)
  corral keys usage webui --by-user              each user of a key with --users-from
  COST_PER_HOUR=0.79 corral keys usage --by day,key --csv > usage.csv

Days and months are those of UTC, and are kept for USAGE_RETENTION_DAYS. --until 2026-12-01 ends with November 30.
CSV is RFC 4180 with a header line. A running gateway writes its usage once a second.
INPUT are prompt tokens, CACHED those of them taken from the prompt cache, OUTPUT generated tokens.
An interrupted response counts the tokens generated so far.
COST is MACHINE × COST_PER_HOUR. MACHINE is the time at the engine as a share of the whole machine: a request that used
one of four slots for a minute counts 15 s. Several loaded models share the machine equally.
Idle time is not charged to any key, so the sum is less than the bill.
Users have the ids of "corral keys user-id". none: requests without a user; other: users beyond 10000 on one day.`;

export function usageCommand(): Command {
  return new Command('usage')
    .description('show usage by key, day or model: requests, tokens, time, cost')
    .argument('[id]', 'id of one key (default: all keys)')
    .addOption(
      new Option('--since <when>', `first day: ${sinceFormat}`).argParser(since).default(since('30d'), '30d'),
    )
    .addOption(
      new Option(
        '--until <when>',
        'first day that is not included, like --since (default: until now)',
      ).argParser(until),
    )
    .addOption(
      new Option('--by <groups>', `${groupsFormat} (default: key; day if a key is given)`).argParser(groups),
    )
    .addOption(new Option('--by-user', 'one line per user of the key, as --by user').conflicts('by'))
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

function until(text: string): string {
  const day = parseUntil(text, Date.now());
  if (day === undefined) throw new InvalidArgumentError(`It must be ${sinceFormat}.`);
  return day;
}

function groups(text: string): readonly UsageGroup[] {
  const found = parseGroups(text);
  if (found === undefined) throw new InvalidArgumentError(`It must be ${groupsFormat}.`);
  return found;
}

async function usage(keyId: string | undefined, options: UsageOptions): Promise<void> {
  const by = options.by ?? [options.byUser ? 'user' : keyId === undefined ? 'key' : 'day'];
  if (options.until !== undefined && options.until <= options.since)
    throw new UsageError(`--until ${options.until} must be later than --since ${options.since}`);
  const path = resolveLedger(options.ledger);
  const ledger = openLedger(path);
  try {
    const report = read(ledger, keyId, { ...options, by });
    const isEmpty = report.usage.length === 0;
    if (isEmpty && keyId !== undefined) await requireKnownKey(keyId, ledger, path);
    if (options.json) writeJson(report);
    else if (options.csv) writeStdout(usageCsv(report, by));
    else if (!isEmpty) writeUsageTable(report, by, Date.now());
    if (isEmpty)
      writeStderr(`No usage${keyId === undefined ? '' : ` of "${keyId}"`} ${span(report)} in ${path}.`);
  } finally {
    ledger.close();
  }
}

const span = ({ since, until }: UsageReport) =>
  until === null ? `since ${since}` : `from ${since} to before ${until}`;

interface Reading extends UsageOptions {
  readonly by: readonly UsageGroup[];
}

function read(ledger: LedgerFile, keyId: string | undefined, { since, until, by }: Reading): UsageReport {
  const { COST_PER_HOUR } = readSettings(process.env).settings;
  const query = { since, until, keyId, by };
  const seen = new Map(ledger.seen().map((one) => [one.keyId, one]));
  const rows = ledger.sums(query);
  return createUsageReport({ query, rows, costPerHour: COST_PER_HOUR, seen: (id) => seen.get(id) });
}

const headings = ['REQUESTS', 'ERRORS', 'INPUT', 'CACHED', 'OUTPUT', 'QUEUED', 'COMPUTE', 'MACHINE'];

/** For people: one row per combination of the groups, and the total. */
function writeUsageTable(
  { usage, total, costPerHour }: UsageReport,
  by: readonly UsageGroup[],
  now: number,
): void {
  const hasCost = costPerHour !== null;
  const hasHits = total.cacheHits > 0;
  const numbers = rightAligned([
    [...headings, ...(hasHits ? ['HITS'] : []), ...(hasCost ? ['COST'] : [])],
    ...[...usage, total].map((line) => cellsOf(line, { hasHits, hasCost })),
  ]);
  const names = [
    by.map((group) => group.toUpperCase()),
    ...usage.map((line) => lineNames(line, by)),
    by.map((_, index) => (index === 0 ? 'total' : '')),
  ];
  const last = ['LAST USED', ...usage.map(({ lastUsed }) => formatLastUse(lastUsed, now)), ''];
  const rows = names.map((cells, row) => [
    ...cells,
    ...(numbers[row] ?? []),
    by.join() === 'key' ? (last[row] ?? '') : '',
  ]);
  writeTable(rows);
}

const formatLastUse = (moment: string | null | undefined, now: number) =>
  moment ? formatAgo(Date.parse(moment), now) : '-';

interface OptionalColumns {
  /** Requests were answered from the response cache. */
  readonly hasHits: boolean;
  readonly hasCost: boolean;
}

function cellsOf(usage: UsageValues, { hasHits, hasCost }: OptionalColumns): string[] {
  const { requests, errors, inputTokens, cachedTokens, outputTokens } = usage;
  const counts = [requests, errors, inputTokens, cachedTokens, outputTokens].map(formatCount);
  const times = [usage.queueSeconds, usage.computeSeconds, usage.machineSeconds].map(formatSeconds);
  const hits = hasHits ? [formatCount(usage.cacheHits)] : [];
  return [...counts, ...times, ...hits, ...(hasCost ? [formatMoney(usage.cost ?? 0)] : [])];
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
  'cacheHits',
] as const;

/** One row per combination of the groups, without a total. */
function usageCsv({ usage }: UsageReport, by: readonly UsageGroup[]): string {
  const names = [...by, ...columns, ...(by.join() === 'key' ? (['lastUsed'] as const) : [])];
  return formatCsv([names, ...usage.map((line) => names.map((name) => line[name] ?? ''))]);
}
