import { HOUR } from '../settings/durations.ts';

/** `1,234,567`, independent of the locale. */
export const formatCount = (count: number) => count.toLocaleString('en-US');

/** `1 file`, `1,200 batches`. */
export const formatNumberOf = (count: number, one: string, many = `${one}s`) =>
  `${formatCount(count)} ${count === 1 ? one : many}`;

/** `12.3s`, `4m 05s`, `2h 03m`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 59.95) return `${seconds.toFixed(1)}s`;
  const rounded = Math.round(seconds);
  const minutes = Math.floor(rounded / 60);
  if (minutes < 60) return `${minutes}m ${twoDigits(rounded % 60)}s`;
  return `${formatCount(Math.floor(minutes / 60))}h ${twoDigits(minutes % 60)}m`;
}

const twoDigits = (value: number) => String(value).padStart(2, '0');

/** Two decimals, four below one unit. */
export const formatMoney = (amount: number) =>
  amount >= 1 || amount === 0 ? amount.toFixed(2) : amount.toFixed(4);

/** To the minute, in UTC. */
export function formatTime(time: number | null, fallback: string): string {
  return time === null ? fallback : `${new Date(time).toISOString().slice(0, 16).replace('T', ' ')}Z`;
}

/** `2h ago`. */
export function formatAgo(moment: number, now: number): string {
  return now - moment < 60_000 ? 'just now' : `${formatSpan(now - moment)} ago`;
}

/** `5d`, `3h`, `12m`. */
export function formatSpan(ms: number): string {
  const hours = ms / HOUR;
  if (hours >= 48) return `${Math.round(hours / 24)}d`;
  return hours >= 1 ? `${Math.round(hours)}h` : `${Math.ceil(hours * 60)}m`;
}
