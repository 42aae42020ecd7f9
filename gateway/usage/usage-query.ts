import { parseIsoTime } from '../../keys/iso-time.ts';
import { DAY } from '../../settings/durations.ts';
import { list, timespan } from '../../settings/kinds.ts';
import { addUsage, sumNames, utcDay } from '../api/usage.ts';
import type { UsageRow } from './usage-batch.ts';

/** Which usage, and what each row of the result is the sum of. */
export interface UsageQuery {
  /** The first day, in UTC: `2026-11-20`. */
  readonly since: string;
  /** The first day that is no longer included. */
  readonly until?: string | undefined;
  /** Undefined: all keys. */
  readonly keyId: string | undefined;
  readonly by: readonly UsageGroup[];
}

/**
 * What a report has one line of. Models are known only where there are several, and users only of keys that tell them apart; the
 * ledger does not know which user has used which model.
 */
const usageGroups = ['key', 'day', 'month', 'model', 'user'] as const;
export type UsageGroup = (typeof usageGroups)[number];

/** What a row has of the group, for the rows of `UsageQuery`: a month takes the place of the day. */
export function groupName(row: RowNames, group: UsageGroup): string {
  if (group === 'key') return row.keyId;
  if (group === 'model') return row.model;
  if (group === 'user') return row.user ?? '';
  return group === 'day' ? row.day : row.day.slice(0, 'YYYY-MM'.length);
}

type RowNames = Pick<UsageRow, 'keyId' | 'day' | 'model' | 'user'>;

/** The line of requests whose user is not known. No id of a user is like it. */
export const noUser = 'none';

/** Adds unwritten rows to those read from the file. */
export function addUnwritten(
  { since, until, keyId, by }: UsageQuery,
  read: readonly UsageRow[],
  unwritten: readonly UsageRow[],
): UsageRow[] {
  const selected = unwritten.filter(
    (row) =>
      row.day >= since &&
      (until === undefined || row.day < until) &&
      (keyId === undefined || row.keyId === keyId) &&
      (row.model !== '') === by.includes('model') &&
      (row.user === undefined || by.includes('user')),
  );
  const sums = new Map<string, UsageRow>();
  for (const row of [...read, ...(by.includes('user') ? splitByUser(selected) : selected)]) {
    const name = by.map((group) => groupName(row, group)).join('\t');
    const known = sums.get(name);
    if (known) addUsage(known, row);
    else sums.set(name, { ...row, ...namesOf(row, by) });
  }
  return [...sums.values()];
}

/** What a key has used without a known user is what it has used, less what its users have. */
function splitByUser(rows: readonly UsageRow[]): UsageRow[] {
  return rows.flatMap((row) => {
    if (row.user === undefined) return [{ ...row, user: noUser }];
    const less = { ...row, user: noUser };
    for (const name of sumNames) less[name] = -row[name];
    return [row, less];
  });
}

function namesOf(row: UsageRow, by: readonly UsageGroup[]): RowNames {
  const nameIf = (group: UsageGroup) => (by.includes(group) ? groupName(row, group) : '');
  return {
    keyId: nameIf('key'),
    day: nameIf('day') || nameIf('month'),
    model: nameIf('model'),
    user: by.includes('user') ? row.user : undefined,
  };
}

export const groupsFormat = `${usageGroups.slice(0, -1).join(', ')} or ${usageGroups.at(-1)}, or several of them, such as month,key (day or month, model or user)`;

/** Undefined if the text is not valid. */
export function parseGroups(text: string): readonly UsageGroup[] | undefined {
  const names = list.parse(text) ?? [];
  const groups = names.flatMap((name) => usageGroups.filter((group) => group === name));
  const excludes = (one: UsageGroup, other: UsageGroup) => groups.includes(one) && groups.includes(other);
  const isClear =
    new Set(groups).size === names.length && !excludes('day', 'month') && !excludes('model', 'user');
  return groups.length > 0 && isClear ? groups : undefined;
}

export const sinceFormat =
  'a duration such as 7d or 12h, a date such as 2026-11-01, or a month such as 2026-11';

/** The UTC day of the given time, as the ledger has whole days only. Undefined if the text is not valid. */
export function parseSince(text: string, now: number): string | undefined {
  const moment = parseMoment(text, now);
  return moment === undefined ? undefined : utcDay(moment);
}

/** The first UTC day from the given time on: a day that has begun by then is included. Undefined if the text is not valid. */
export function parseUntil(text: string, now: number): string | undefined {
  const moment = parseMoment(text, now);
  return moment === undefined ? undefined : utcDay(moment + DAY - 1);
}

function parseMoment(text: string, now: number): number | undefined {
  const isDuration = /^\d+(?:\.\d+)?[smhd]$/i.test(text);
  const date = /^\d{4}-\d{2}$/.test(text) ? `${text}-01` : text;
  const moment = isDuration ? now - (timespan.parse(text) ?? 0) : parseIsoTime(date);
  if (moment === undefined || Number.isNaN(new Date(moment).getTime())) return undefined;
  return Math.max(moment, 0);
}
