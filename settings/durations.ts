/** Durations in milliseconds. */
const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: MINUTE, h: HOUR, d: DAY };

/** Reads `90`, `90s`, `5m`, `1.5h` or `1d`; a number without a unit counts seconds. Undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/i.exec(text);
  if (!match) return undefined;
  return roundUp(Number(match[1]), units[(match[2] ?? 's').toLowerCase()] ?? 1000);
}

/** In the largest unit that fits without a fraction: `90s`, `5m`, `250ms`. */
export function formatDuration(ms: number): string {
  for (const unit of ['h', 'm', 's'] as const) {
    const size = units[unit] ?? 1;
    if (ms !== 0 && ms % size === 0) return `${ms / size}${unit}`;
  }
  return ms === 0 ? '0' : `${ms}ms`;
}

/** A whole number of milliseconds or bytes. A value above 0 stays above 0, because 0 often has a special meaning. */
export function roundUp(count: number, unit: number): number {
  const rounded = Math.round(count * unit);
  return rounded === 0 && count > 0 ? 1 : rounded;
}
