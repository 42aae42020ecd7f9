/** `1,234,567`, independent of the locale. */
export const formatCount = (count: number) => count.toLocaleString('en-US');

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
