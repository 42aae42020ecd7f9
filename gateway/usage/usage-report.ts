import { parseIsoTime } from '../../keys/iso-time.ts';
import { HOUR } from '../../settings/durations.ts';
import { timespan } from '../../settings/kinds.ts';
import { addUsage, noUsage, type UsageSums, utcDay } from '../api/usage.ts';
import { invalidValue } from '../errors/catalogue.ts';
import type { GatewayContext } from '../proxy/gateway-context.ts';
import type { KeySeen, UsageRow } from './usage-batch.ts';

export interface UsageQuery {
  /** The first day, in UTC: `2026-11-20`. */
  readonly since: string;
  /** Undefined: all keys. */
  readonly keyId: string | undefined;
  readonly by: UsageGroup;
}

/** What a report has one line of. Models are known only where there are several. */
export const usageGroups = ['key', 'day', 'model'] as const;
export type UsageGroup = (typeof usageGroups)[number];

const nameOf = { key: 'keyId', day: 'day', model: 'model' } as const;

/** Adds unwritten rows to those read from the file. */
export function addUnwritten(
  { since, keyId, by }: UsageQuery,
  read: readonly UsageRow[],
  unwritten: readonly UsageRow[],
): UsageRow[] {
  const sums = new Map<string, UsageRow>();
  const name = nameOf[by];
  const selected = unwritten.filter(
    (row) =>
      row.day >= since &&
      (keyId === undefined || row.keyId === keyId) &&
      (row.model !== '') === (by === 'model'),
  );
  for (const row of [...read, ...selected]) {
    const known = sums.get(row[name]);
    if (known) addUsage(known, row);
    else sums.set(row[name], { ...row, keyId: '', day: '', model: '', [name]: row[name] });
  }
  return [...sums.values()];
}

/** The JSON of `corral keys usage --json` and `/admin/usage`. */
export interface UsageReport {
  readonly since: string;
  readonly by: UsageGroup;
  /** Of the whole machine; null if COST_PER_HOUR is not set. */
  readonly costPerHour: number | null;
  readonly usage: readonly UsageLine[];
  readonly total: UsageValues;
}

export interface UsageLine extends UsageValues {
  readonly key?: string;
  readonly day?: string;
  readonly model?: string;
  /** ISO 8601; not limited to the queried days; null if unknown. */
  readonly lastUsed?: string | null;
}

export interface UsageValues {
  readonly requests: number;
  readonly errors: number;
  readonly inputTokens: number;
  /** Input tokens found in the prompt cache. */
  readonly cachedTokens: number;
  readonly outputTokens: number;
  readonly queueSeconds: number;
  readonly computeSeconds: number;
  /** Compute time as a share of the machine: one of four slots for a second is a quarter of a second. */
  readonly machineSeconds: number;
  /** `machineSeconds` at `costPerHour`; null if that is null. */
  readonly cost: number | null;
}

export interface UsageReportOptions {
  readonly query: UsageQuery;
  readonly rows: readonly UsageRow[];
  readonly costPerHour: number | undefined;
  readonly seen: (keyId: string) => KeySeen | undefined;
}

export function createUsageReport({ query, rows, costPerHour, seen }: UsageReportOptions): UsageReport {
  const { since, by } = query;
  const total: UsageSums = { ...noUsage };
  for (const row of rows) addUsage(total, row);
  const usage = rows
    .map((row): UsageLine => {
      const values = toValues(row, costPerHour);
      if (by !== 'key') return { [by]: row[by], ...values };
      return { key: row.keyId, ...values, lastUsed: formatTime(seen(row.keyId)?.lastUsed) };
    })
    .sort((a, b) => (lineName(a) < lineName(b) ? -1 : 1));
  return { since, by, costPerHour: costPerHour ?? null, usage, total: toValues(total, costPerHour) };
}

/** The key, the day or the model of a line. */
export const lineName = ({ key, day, model }: UsageLine) => key ?? day ?? model ?? '';

function toValues(sums: Readonly<UsageSums>, costPerHour: number | undefined): UsageValues {
  return {
    requests: sums.requests,
    errors: sums.errors,
    inputTokens: sums.input,
    cachedTokens: sums.cached,
    outputTokens: sums.output,
    queueSeconds: seconds(sums.queueMs),
    computeSeconds: seconds(sums.computeMs),
    machineSeconds: seconds(sums.machineMs),
    cost: costPerHour === undefined ? null : round((sums.machineMs / HOUR) * costPerHour, 1e6),
  };
}

const seconds = (ms: number) => round(ms / 1000, 1e3);
const round = (value: number, steps: number) => Math.round(value * steps) / steps;

function formatTime(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}

export const sinceFormat = 'a duration such as 7d or 12h, or a date such as 2026-11-01';

/** The UTC day of the given time, as the ledger has whole days only. Undefined if the text is not valid. */
export function parseSince(text: string, now: number): string | undefined {
  const isDuration = /^\d+(?:\.\d+)?[smhd]$/i.test(text);
  const moment = isDuration ? now - (timespan.parse(text) ?? 0) : parseIsoTime(text);
  if (moment === undefined || Number.isNaN(new Date(moment).getTime())) return undefined;
  return utcDay(Math.max(moment, 0));
}

/** The part of the ledger that a report needs. */
export interface UsageSource {
  query(query: UsageQuery): Promise<readonly UsageRow[]>;
  seen(keyId: string): KeySeen | undefined;
  /** Why usage cannot be written; undefined if it can. */
  readonly problem: string | undefined;
}

/** `GET /admin/usage`: the same as `corral keys usage --json`, including the latest requests. */
export function handleUsage(ledger: UsageSource, costPerHour: number | undefined) {
  return async (c: GatewayContext) => {
    const since = parseSince(c.req.query('since') ?? '30d', Date.now());
    if (since === undefined) throw invalidValue('since', sinceFormat);
    const keyId = c.req.query('key');
    const by = c.req.query('by') ?? (keyId === undefined ? 'key' : 'day');
    const group = usageGroups.find((one) => one === by);
    if (group === undefined) throw invalidValue('by', 'key, day or model');
    const query = { since, keyId, by: group };
    const rows = await ledger.query(query);
    const report = createUsageReport({ query, rows, costPerHour, seen: (id) => ledger.seen(id) });
    return c.json({ ...report, problem: ledger.problem ?? null });
  };
}
