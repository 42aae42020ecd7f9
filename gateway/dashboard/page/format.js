/** Numbers and times as text. */

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

/** @param {number} value */
export const formatCount = (value) => (value < 10_000 ? whole.format(value) : compact.format(value));

/** @param {number | null | undefined} value */
export function formatRate(value) {
  if (value == null) return '–';
  return value > 0 && value < 10 ? value.toFixed(1) : formatCount(value);
}

/** @param {number | null | undefined} ms */
export function formatDuration(ms) {
  if (ms == null) return '–';
  if (ms < 995) return `${Math.round(ms)} ms`;
  if (ms < 9950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const [days, hours, minutes] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3600) % 24,
    Math.floor(seconds / 60) % 60,
  ];
  if (days > 0) return `${days} d ${hours} h`;
  return hours > 0 ? `${hours} h ${minutes} min` : `${minutes} min ${seconds % 60} s`;
}

/**
 * Without seconds from one minute on: a text that changes every second distracts.
 * @param {number} ms
 */
export function formatAge(ms) {
  if (ms < 60_000) return `${Math.floor(Math.max(ms, 0) / 1000)} s`;
  return formatDuration(ms).replace(/ \d+ s$/, '');
}

/**
 * For an axis, whose values are round.
 * @param {number} seconds
 */
export function formatRoundSeconds(seconds) {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${Math.round(seconds * 10) / 10} s`;
  return seconds % 60 === 0 ? `${seconds / 60} min` : formatDuration(seconds * 1000);
}

/** @param {number | null | undefined} seconds */
export const formatSeconds = (seconds) => formatDuration(seconds == null ? seconds : seconds * 1000);

/** @param {number | null | undefined} amount in the currency of `COST_PER_HOUR`, which is not known here */
export function formatMoney(amount) {
  if (amount == null) return '–';
  if (amount === 0) return '0';
  return amount < 0.01 ? amount.toPrecision(2) : amount.toFixed(2);
}

/** @param {number | null | undefined} joules */
export function formatEnergy(joules) {
  if (joules == null) return '–';
  return joules < 10 ? joules.toFixed(2) : formatCount(joules);
}

const clock = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });
const dayAndClock = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' });

/** @param {number} at ms since 1970 */
export const formatTime = (at) => clock.format(at);

/** @param {number} at ms since 1970 */
export const formatDateTime = (at) => dayAndClock.format(at);

/** @param {number} bytes */
export const formatGibibytes = (bytes) => (bytes / 1024 ** 3).toFixed(bytes < 10 * 1024 ** 3 ? 1 : 0);

/** @param {number} bytes */
export const formatBytes = (bytes) =>
  bytes < 1024 ** 3 ? `${Math.round(bytes / 1024 ** 2)} MiB` : `${formatGibibytes(bytes)} GiB`;

/** @param {number} ratio 0 to 1 */
export const formatPercent = (ratio) => `${Math.round(ratio * 100)} %`;

/**
 * A key and, where it tells its users apart, one of them.
 * @param {string | null} key
 * @param {string | null} user
 */
export const formatOwner = (key, user, none = '–') => (user === null ? (key ?? none) : `${key} / ${user}`);
