import { type Kind, list } from './kinds.ts';

/** A secret that travels in a header: what else than ASCII stands in it, clients and servers read differently. */
export const headerText: Kind<string> = {
  expected: 'one line of printable ASCII, because it is sent in an HTTP header',
  parse: (text) => (/^[\x20-\x7e]+$/.test(text) ? text : undefined),
  format: (value) => value,
};

/** The address of a llama-server, of which only the place counts: its routes are known, its key has a variable. */
export const backendUrl: Kind<string> = {
  expected:
    'http://host:port or unix:/path.sock, without user, path or query (set its key in BACKEND_API_KEY)',
  parse(text) {
    if (!URL.canParse(text)) return undefined;
    const { protocol, hostname, pathname, username, password, search, hash } = new URL(text);
    if (username || password || search || hash) return undefined;
    if (protocol === 'unix:') return hostname === '' && /[^/]$/.test(pathname) ? text : undefined;
    // Many take what OpenAI's clients call the base URL.
    return protocol === 'http:' && /^\/(?:v1\/?)?$/.test(pathname) ? text : undefined;
  },
  format: (value) => value,
};

/**
 * Origins of browsers, as these write them: lower case, host names in ASCII, no slash at the end, no port where it is
 * the scheme's own. A `*` stands for everything, for a port, for a host, in front of it for any subdomains, or for a
 * part of a label.
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

/** Of other schemes than the web's the host is a name of their own. */
function hostFrom(scheme: string, written: string): string | undefined {
  if (!/^[^\s"'`;\\]+$/.test(written)) return undefined;
  if (!(scheme in ownPorts) || written.includes('*')) return isPattern(written) ? written : undefined;
  const canonical = `${scheme}://${written}`;
  return URL.canParse(canonical) ? new URL(canonical).hostname || undefined : undefined;
}

/** Any number of labels can only stand in front; two stars are enough, and more would cost time at each request. */
function isPattern(host: string): boolean {
  if (host === '*') return true;
  const labels = host.split('.');
  return (
    labels.every((label, index) => /^[a-z0-9_*-]+$/.test(label) && (label !== '*' || index === 0)) &&
    !host.includes('**') &&
    host.split('*').length <= 3
  );
}
