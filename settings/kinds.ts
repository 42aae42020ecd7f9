import { isIP } from 'node:net';
import { DAY, formatDuration, parseDuration } from './durations.ts';
import { formatSize, parseSize } from './sizes.ts';

/**
 * How the text of a variable becomes a value. `expected` completes "invalid value …; expected …", `parse` returns
 * undefined for invalid text, `format` writes the value the way a person would set it.
 */
export interface Kind<T> {
  readonly expected: string;
  parse(text: string): T | undefined;
  format(value: T): string;
}

const yes = new Set(['true', '1', 'yes', 'on']);
const no = new Set(['false', '0', 'no', 'off']);

export const flag: Kind<boolean> = {
  expected: 'true or false (also 1, yes, on, 0, no, off)',
  parse(text) {
    const word = text.toLowerCase();
    return yes.has(word) ? true : no.has(word) ? false : undefined;
  },
  format: String,
};

export const text: Kind<string> = {
  expected: 'text without NUL characters',
  parse: (value) => value,
  format: (value) => value,
};

/** A file or folder as given; relative paths are relative to the working directory. */
export const path: Kind<string> = { ...text, expected: 'a path' };

export function integer(min: number, max = Number.MAX_SAFE_INTEGER): Kind<number> {
  return {
    expected: max === Number.MAX_SAFE_INTEGER ? `an integer ≥ ${min}` : `an integer from ${min} to ${max}`,
    parse(text) {
      if (!/^-?\d+$/.test(text)) return undefined;
      const value = Number(text);
      return value >= min && value <= max ? value : undefined;
    },
    format: String,
  };
}

/** An amount of money, with few enough digits to be shown exactly. */
export const decimal: Kind<number> = {
  expected: 'a number from 0 to 999999999, such as 2 or 0.79',
  parse: (text) => (/^\d{1,9}(?:\.\d{1,6})?$/.test(text) ? Number(text) : undefined),
  format: (value) => (Number.isInteger(value) ? String(value) : value.toFixed(6).replace(/0+$/, '')),
};

/** A share. */
export const fraction: Kind<number> = {
  expected: 'a number from 0 to 1, such as 0.25',
  parse(text) {
    const value = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d{1,3})?$/i.test(text) ? Number(text) : Number.NaN;
    return value >= 0 && value <= 1 ? value : undefined;
  },
  format: String,
};

/** Port 0 lets the system choose a free port. */
export const port: Kind<number> = { ...integer(0, 65535), expected: 'a port number from 0 to 65535' };

/** A port that must be known before it is opened. */
export const fixedPort: Kind<number> = { ...integer(1, 65535), expected: 'a port number from 1 to 65535' };

/** An integer, or `auto`, which leaves the choice to llama-server. */
export function autoOr(number: Kind<number>): Kind<number | 'auto'> {
  return {
    expected: `"auto" or ${number.expected}`,
    parse: (text) => (text.toLowerCase() === 'auto' ? 'auto' : number.parse(text)),
    format: String,
  };
}

/** Milliseconds of any length. */
export const timespan: Kind<number> = {
  expected: 'a duration in seconds or with a unit (90, 500ms, 90s, 5m, 2h, 1d)',
  parse: parseDuration,
  format: formatDuration,
};

/**
 * Node's timers cannot wait longer than 2^31-1 ms: such a timer would fire at once. The limit leaves room for
 * additions, such as the grace period after a drain.
 */
const longestDuration = 24 * DAY;

/** A waiting time; 0 means no waiting. */
export const duration: Kind<number> = spanOf(0, 'at most 24d');

/** A time limit; 0 turns it off. */
export const durationOrOff: Kind<number> = spanOf(0, 'at most 24d, 0 = off');

/** A waiting time with a minimum. */
export function durationFrom(least: number): Kind<number> {
  return spanOf(least, `from ${timespan.format(least)} to 24d`);
}

/** A time limit with a minimum; 0 turns it off. */
export function durationFromOrOff(least: number): Kind<number> {
  const bounded = spanOf(least, `from ${timespan.format(least)} to 24d, 0 = off`);
  return { ...bounded, parse: (text) => (timespan.parse(text) === 0 ? 0 : bounded.parse(text)) };
}

/** A waiting time in a variable whose unit is set by others. */
export const milliseconds: Kind<number> = integer(1, 1_000_000_000);

function spanOf(least: number, bounds: string): Kind<number> {
  return {
    ...timespan,
    expected: `${timespan.expected}, ${bounds}`,
    parse(text) {
      const ms = timespan.parse(text);
      return ms !== undefined && ms >= least && ms <= longestDuration ? ms : undefined;
    },
  };
}

/** Bytes. */
export function size(least: number, most: number): Kind<number> {
  const bounds = `from ${formatSize(least)} to ${formatSize(most)}`;
  return {
    expected: `a size in bytes or with a unit (10485760, 10MB, 10MiB, 1GiB), ${bounds}`,
    parse(text) {
      const bytes = parseSize(text);
      return bytes !== undefined && bytes >= least && bytes <= most ? bytes : undefined;
    },
    format: formatSize,
  };
}

/** Bytes; 0 turns the limit off. */
export function sizeOrOff(most: number): Kind<number> {
  const bounded = size(1, most);
  return {
    ...bounded,
    expected: `${bounded.expected}, or 0 = off`,
    parse: (text) => (parseSize(text) === 0 ? 0 : bounded.parse(text)),
  };
}

/** Comma-separated words. Spaces around them and empty words are ignored. */
export const list: Kind<readonly string[]> = {
  expected: 'a comma-separated list',
  parse: (text) =>
    text
      .split(',')
      .map((word) => word.trim())
      .filter((word) => word !== ''),
  format: (words) => words.join(','),
};

/** Comma-separated IP addresses and CIDR blocks. */
export const networks: Kind<readonly string[]> = {
  expected: 'a comma-separated list of IP addresses or networks (10.0.0.1, 10.0.0.0/8, fd00::/8)',
  parse(text) {
    const parts = list.parse(text) ?? [];
    return parts.every(isNetwork) ? parts : undefined;
  },
  format: list.format,
};

function isNetwork(text: string): boolean {
  const [address = '', prefix = '0', ...rest] = text.split('/');
  const bits = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
  return rest.length === 0 && /^\d{1,3}$/.test(prefix) && Number(prefix) <= bits;
}

export function choice<const Word extends string>(...words: readonly Word[]): Kind<Word> {
  return {
    expected: `one of ${words.join(', ')}`,
    parse: (text) => words.find((word) => word === text.toLowerCase()),
    format: (word) => word,
  };
}

/** An absolute URL of one of the given schemes, without the colon. */
export function url(...schemes: readonly string[]): Kind<string> {
  return {
    expected: `a URL that starts with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`,
    parse: (text) =>
      URL.canParse(text) && schemes.includes(new URL(text).protocol.slice(0, -1)) ? text : undefined,
    format: (value) => value,
  };
}

/** An issuer of tokens, as in their `iss`: OpenID Connect allows no query and no fragment, and it is no place for a password. */
export const issuerUrl: Kind<string> = {
  expected: 'a URL that starts with https:// or http://, without user, query or fragment',
  parse(text) {
    const found = url('https', 'http').parse(text);
    if (found === undefined || /[?#]/.test(found)) return undefined;
    const { username, password } = new URL(found);
    return username || password ? undefined : found;
  },
  format: (value) => value,
};

/** The path of a URL, such as `/ping`. */
export const urlPath: Kind<string> = {
  expected: 'a path that starts with /',
  parse: (text) => (/^\/[^\s?#]*$/.test(text) ? text : undefined),
  format: (value) => value,
};

/** `user/repo[:quant]`. */
export const huggingFaceRepo: Kind<string> = {
  expected: 'user/repo or user/repo:quant',
  parse: (text) => (/^[\w-][\w.-]*\/[\w-][\w.-]*(?::[\w.-]+)?$/.test(text) ? text : undefined),
  format: (value) => value,
};

/** A secret for an HTTP header. Clients and servers decode anything but ASCII differently. */
export const headerText: Kind<string> = {
  expected: 'one line of printable ASCII, because it is sent in an HTTP header',
  parse: (text) => (/^[\x20-\x7e]+$/.test(text) ? text : undefined),
  format: (value) => value,
};

/**
 * The address of a llama-server without path and credentials: its routes are known, and its key is in another
 * variable.
 */
export const backendUrl: Kind<string> = {
  expected:
    'http://host:port or unix:/path.sock, without user, path or query (set its key in BACKEND_API_KEY)',
  parse(text) {
    if (!URL.canParse(text)) return undefined;
    const { protocol, hostname, pathname, username, password, search, hash } = new URL(text);
    if (username || password || search || hash) return undefined;
    if (protocol === 'unix:') return hostname === '' && /[^/]$/.test(pathname) ? text : undefined;
    // Accept OpenAI's base URL as well.
    return protocol === 'http:' && /^\/(?:v1\/?)?$/.test(pathname) ? text : undefined;
  },
  format: (value) => value,
};

/**
 * Origins as browsers send them: lower case, host names in ASCII, no trailing slash, no default port. `*` stands for
 * everything, for a port, for a host, for any subdomains in front of a host, or for a part of a label.
 */
export const origins: Kind<readonly string[]> = {
  expected:
    'a comma-separated list of *, origins (https://app.example) and patterns (https://*.app.example, http://localhost:*, chrome-extension://*)',
  parse(text) {
    const parts = (list.parse(text) ?? []).map(originFrom);
    return parts.every((part) => part !== undefined) ? parts : undefined;
  },
  format: list.format,
};

const ownPorts: Readonly<Record<string, string>> = { http: '80', https: '443' };

function originFrom(text: string): string | undefined {
  const lower = text.toLowerCase();
  if (lower === '*' || lower === 'null') return lower;
  const match = /^([a-z][a-z0-9+.-]*):\/\/(\[[0-9a-f:.]+\]|[^\s/:@?#[\]]+)(?::(\d{1,5}|\*))?\/?$/.exec(lower);
  if (!match) return undefined;
  const [, scheme = '', written = '', port] = match;
  const host = hostFrom(scheme, written);
  if (host === undefined || Number(port) > 65535) return undefined;
  return port === undefined || port === ownPorts[scheme]
    ? `${scheme}://${host}`
    : `${scheme}://${host}:${port}`;
}

/** In schemes other than http and https the host is an arbitrary name. */
function hostFrom(scheme: string, written: string): string | undefined {
  if (!/^[^\s"'`;\\]+$/.test(written)) return undefined;
  if (!(scheme in ownPorts) || written.includes('*')) return isPattern(written) ? written : undefined;
  const canonical = `${scheme}://${written}`;
  return URL.canParse(canonical) ? new URL(canonical).hostname || undefined : undefined;
}

/**
 * A star for several labels can only be in front. At most two stars are allowed, because matching more would take
 * time at each request.
 */
function isPattern(host: string): boolean {
  if (host === '*') return true;
  const labels = host.split('.');
  return (
    labels.every((label, index) => /^[a-z0-9_*-]+$/.test(label) && (label !== '*' || index === 0)) &&
    !host.includes('**') &&
    host.split('*').length <= 3
  );
}
