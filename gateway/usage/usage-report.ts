import { HOUR } from '../../settings/durations.ts';
import { addUsage, noUsage, type UsageSums } from '../proxy/usage-sums.ts';
import type { KeySeen, UsageRow } from './usage-batch.ts';

/** What somebody wants to know of the ledger. */
export interface UsageQuery {
  /** The first day, in UTC: `2026-11-20`. */
  readonly since: string;
  /** Undefined for all keys. */
  readonly keyId: string | undefined;
  /** What there is to be one line for. */
  readonly by: 'key' | 'day';
}

/** Puts what is not yet written to what the file answered. */
export function addUnwritten(
  { since, keyId, by }: UsageQuery,
  answered: readonly UsageRow[],
  unwritten: readonly UsageRow[],
): UsageRow[] {
  const sums = new Map<string, UsageRow>();
  const wanted = unwritten.filter((row) => row.day >= since && (keyId === undefined || row.keyId === keyId));
  for (const row of [...answered, ...wanted]) {
    const known = sums.get(row[by === 'key' ? 'keyId' : 'day']);
    if (known) addUsage(known, row);
    else if (by === 'key') sums.set(row.keyId, { ...row, day: '' });
    else sums.set(row.day, { ...row, keyId: '' });
  }
  return [...sums.values()];
}

/** Usage as `--json` and `/admin/usage` show it. */
export interface UsageReport {
  readonly since: string;
  readonly by: 'key' | 'day';
  /** What an hour of the whole machine costs; null where nobody said. */
  readonly costPerHour: number | null;
  readonly usage: readonly UsageLine[];
  readonly total: UsageValues;
}

export interface UsageLine extends UsageValues {
  readonly key?: string;
  readonly day?: string;
  /** ISO 8601, of all time, not only of the days that were asked for; null where it is not known. */
  readonly lastUsed?: string | null;
}

export interface UsageValues {
  readonly requests: number;
  readonly errors: number;
  readonly inputTokens: number;
  /** The part of the input that had not to be read again. */
  readonly cachedTokens: number;
  readonly outputTokens: number;
  readonly queueSeconds: number;
  readonly computeSeconds: number;
  /** Compute time as a share of the whole machine, which is what costs: one of four slots for a second is a quarter. */
  readonly machineSeconds: number;
  /** `machineSeconds` at `costPerHour`; null where that is not known. */
  readonly cost: number | null;
}

export interface UsageReportOptions {
  readonly question: UsageQuery;
  readonly rows: readonly UsageRow[];
  readonly costPerHour: number | undefined;
  readonly seen: (keyId: string) => KeySeen | undefined;
}

export function createUsageReport({ question, rows, costPerHour, seen }: UsageReportOptions): UsageReport {
  const { since, by } = question;
  const total: UsageSums = { ...noUsage };
  for (const row of rows) addUsage(total, row);
  const usage = rows
    .map((row): UsageLine => {
      const figures = figuresOf(row, costPerHour);
      if (by === 'day') return { day: row.day, ...figures };
      return { key: row.keyId, ...figures, lastUsed: showMoment(seen(row.keyId)?.lastUsed) };
    })
    .sort((a, b) => ((a.key ?? a.day ?? '') < (b.key ?? b.day ?? '') ? -1 : 1));
  return { since, by, costPerHour: costPerHour ?? null, usage, total: figuresOf(total, costPerHour) };
}

function figuresOf(sums: Readonly<UsageSums>, costPerHour: number | undefined): UsageValues {
  return {
    requests: sums.requests,
    errors: sums.errors,
    inputTokens: sums.input,
    cachedTokens: sums.cached,
    outputTokens: sums.output,
    queueSeconds: seconds(sums.queueMs),
    computeSeconds: seconds(sums.computeMs),
    machineSeconds: seconds(sums.machineMs),
    cost: costPerHour === undefined ? null : rounded((sums.machineMs / HOUR) * costPerHour, 1e6),
  };
}

const seconds = (ms: number) => rounded(ms / 1000, 1e3);
const rounded = (value: number, steps: number) => Math.round(value * steps) / steps;

function showMoment(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}
