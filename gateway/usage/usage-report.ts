import { HOUR } from '../../settings/durations.ts';
import { addUsage, noUsage, type UsageSums } from '../api/usage.ts';
import { invalidValue } from '../errors/catalogue.ts';
import type { GatewayContext } from '../proxy/gateway-context.ts';
import type { KeySeen, UsageRow } from './usage-batch.ts';
import {
  groupName,
  groupsFormat,
  noUser,
  parseGroups,
  parseSince,
  parseUntil,
  sinceFormat,
  type UsageGroup,
  type UsageQuery,
} from './usage-query.ts';

/** The JSON of `corral keys usage --json` and `/admin/usage`. */
export interface UsageReport {
  readonly since: string;
  /** The first day that is no longer included; null: until now. */
  readonly until: string | null;
  /** The groups, separated by commas. */
  readonly by: string;
  /** The price of the whole machine; null if COST_PER_HOUR is not set. */
  readonly costPerHour: number | null;
  readonly usage: readonly UsageLine[];
  readonly total: UsageValues;
}

export interface UsageLine extends UsageValues {
  readonly key?: string;
  readonly day?: string;
  readonly month?: string;
  readonly model?: string;
  /** A hash, or the line of those that have none of their own: `other` and `none`. */
  readonly user?: string;
  /** ISO 8601; not limited to the queried days; null if unknown. */
  readonly lastUsed?: string | null;
}

export interface UsageValues {
  readonly requests: number;
  readonly errors: number;
  /** Requests answered from the response cache, without tokens. */
  readonly cacheHits: number;
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
  const { since, until = null, by } = query;
  const total: UsageSums = { ...noUsage };
  for (const row of rows) addUsage(total, row);
  const usage = rows
    .filter((row) => row.user !== noUser || row.requests > 0 || row.input + row.output > 0)
    .map((row): UsageLine => {
      const names = Object.fromEntries(by.map((group) => [group, groupName(row, group)]));
      const values = toValues(row, costPerHour);
      if (by.join() !== 'key') return { ...names, ...values };
      return { ...names, ...values, lastUsed: formatTime(seen(row.keyId)?.lastUsed) };
    })
    .sort((a, b) => compareNames(lineNames(a, by), lineNames(b, by)));
  return {
    ...{ since, until, by: by.join() },
    costPerHour: costPerHour ?? null,
    usage,
    total: toValues(total, costPerHour),
  };
}

/** What a line is of: one name per group. */
export const lineNames = (line: UsageLine, by: readonly UsageGroup[]): readonly string[] =>
  by.map((group) => line[group] ?? '');

function compareNames(a: readonly string[], b: readonly string[]): number {
  const differs = a.findIndex((name, index) => name !== b[index]);
  if (differs < 0) return 0;
  return (a[differs] ?? '') < (b[differs] ?? '') ? -1 : 1;
}

function toValues(sums: Readonly<UsageSums>, costPerHour: number | undefined): UsageValues {
  return {
    requests: sums.requests,
    errors: sums.errors,
    cacheHits: sums.cacheHits,
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
    const now = Date.now();
    const since = parseSince(c.req.query('since') ?? '30d', now);
    if (since === undefined) throw invalidValue('since', sinceFormat);
    const last = c.req.query('until');
    const until = last === undefined ? undefined : parseUntil(last, now);
    if (last !== undefined && (until === undefined || until <= since))
      throw invalidValue('until', `${sinceFormat}, later than since`);
    const keyId = c.req.query('key');
    const by = parseGroups(c.req.query('by') ?? (keyId === undefined ? 'key' : 'day'));
    if (by === undefined) throw invalidValue('by', groupsFormat);
    const query = { since, until, keyId, by };
    const rows = await ledger.query(query);
    const report = createUsageReport({ query, rows, costPerHour, seen: (id) => ledger.seen(id) });
    return c.json({ ...report, problem: ledger.problem ?? null });
  };
}
