import { parseIsoTime } from '../../keys/iso-time.ts';
import { timespan } from '../../settings/kinds.ts';
import { utcDay } from '../proxy/usage-sums.ts';

export const sinceFormat = 'a span like 7d or 12h, or a date like 2026-11-01';

/** The UTC day in which that moment lies: the ledger knows whole days. Undefined for a text that is neither. */
export function parseSince(text: string, now: number): string | undefined {
  const isSpan = /^\d+(?:\.\d+)?[smhd]$/i.test(text);
  const moment = isSpan ? now - (timespan.parse(text) ?? 0) : parseIsoTime(text);
  if (moment === undefined || Number.isNaN(new Date(moment).getTime())) return undefined;
  return utcDay(Math.max(moment, 0));
}
