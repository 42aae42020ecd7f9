/** A host name has 253 letters at the most. */
const LONGEST = 300;

/** Whether browsers of an origin may call, by the entries of `CORS_ORIGINS`: see the kind `origins`. */
export function createOriginMatcher(entries: readonly string[]): (origin: string) => boolean {
  const exact = new Set(entries.filter((entry) => !entry.includes('*')));
  const patterns = entries.filter((entry) => entry.includes('*')).map(patternFrom);
  return (origin) => {
    if (origin.length > LONGEST) return false;
    const lower = origin.toLowerCase();
    return exact.has(lower) || patterns.some((pattern) => pattern.test(lower));
  };
}

/** A port that is left open may also be the one that is not written. */
function patternFrom(entry: string): RegExp {
  const [scheme = '', rest = ''] = entry.split('://');
  const [, host = '', port] = /^(\[.*\]|[^:]*)(?::(.*))?$/.exec(rest) ?? [];
  const ending = port === '*' ? '(?::\\d+)?' : port === undefined ? '' : `:${port}`;
  return new RegExp(`^${RegExp.escape(scheme)}://${hostPattern(host)}${ending}$`);
}

function hostPattern(host: string): string {
  if (host === '*') return '(?:\\[[0-9a-f:.]+\\]|[^/:@?#\\s]+)';
  return host.split('.').map(labelPattern).join('\\.');
}

/** A whole label stands for any number of them, at least one. */
function labelPattern(label: string): string {
  if (label === '*') return '[a-z0-9_-]+(?:\\.[a-z0-9_-]+)*';
  return label
    .split('*')
    .map((part) => RegExp.escape(part))
    .join('[a-z0-9_-]+');
}
