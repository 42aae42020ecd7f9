import type { IncomingHttpHeaders } from 'node:http';

/**
 * Whether the browser confirms that the request comes from our own page. Browsers send `Sec-Fetch-Site` on https and
 * localhost; otherwise they send `Origin` with every request that changes something. `host` is the host that they called.
 */
export function isSameOrigin(headers: IncomingHttpHeaders, host: string | undefined): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin';
  return headers.origin !== undefined && getHost(headers.origin) === host;
}

/** Whether the browser reports that the request comes from another site. A simple GET may have neither header. */
export function isCrossSite(headers: IncomingHttpHeaders, host: string | undefined): boolean {
  const origin = headers['sec-fetch-site'] ?? headers.origin;
  if (origin === undefined || headers['sec-fetch-site'] === 'none') return false;
  return !isSameOrigin(headers, host);
}

function getHost(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}
