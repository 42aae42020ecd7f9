import { Command, InvalidArgumentError, Option } from 'commander';
import {
  createUsageReport,
  parseSince,
  sinceFormat,
  type UsageReport,
} from '../../gateway/usage/usage-report.ts';
import { readSettings } from '../../settings/read-settings.ts';
import { writeJson, writeStderr, writeStdout } from '../output.ts';
import { jsonOption } from './key-file-option.ts';
import { ledgerOption, openLedger, resolveLedger } from './ledger-option.ts';
import { usageCsv } from './usage-csv.ts';
import { usageTable } from './usage-table.ts';

interface UsageOptions {
  readonly since: string;
  readonly by?: 'key' | 'day';
  readonly ledger?: string;
  readonly json?: true;
  readonly csv?: true;
}

const notes = `
Examples:
  corral keys usage                              every key, the last 30 days
  corral keys usage app --since 7d               one key, by day
  corral keys usage --since 2026-11-01 --by day
  COST_PER_HOUR=0.79 corral keys usage --csv > usage.csv

Days are UTC days. A running gateway writes its usage once a second.
INPUT are prompt tokens, CACHED those of them taken from the prompt cache, OUTPUT generated tokens.
An interrupted response counts the tokens generated so far.
COST is MACHINE × COST_PER_HOUR. MACHINE is the time at the engine as a share of the whole machine: a request that used
one of four slots for a minute counts 15 s. Idle time is not charged to any key, so the sum is less than the bill.`;

export function usageCommand(): Command {
  return new Command('usage')
    .description('show usage by key or day: requests, tokens, time, cost')
    .argument('[id]', 'id of one key (default: all keys)')
    .addOption(
      new Option('--since <when>', `first day: ${sinceFormat}`).argParser(since).default(since('30d'), '30d'),
    )
    .addOption(
      new Option('--by <what>', 'group by (default: key; day if a key is given)').choices(['key', 'day']),
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
  const query = { since: options.since, keyId, by } as const;
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
