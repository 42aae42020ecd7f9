import type { IncomingHttpHeaders } from 'node:http';

/**
 * Whether a browser says that a page of ours sends this, and no other site. Where it may send `Sec-Fetch-Site` it does
 * (https and localhost); elsewhere it sends `Origin` with all that changes something. `host` is what it dialled.
 */
export function isSameOrigin(headers: IncomingHttpHeaders, host: string | undefined): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin';
  return headers.origin !== undefined && hostOf(headers.origin) === host;
}

/** Whether a browser says that another site's page asks. A plain reading need not say where it comes from. */
export function isCrossSite(headers: IncomingHttpHeaders, host: string | undefined): boolean {
  const says = headers['sec-fetch-site'] ?? headers.origin;
  if (says === undefined || headers['sec-fetch-site'] === 'none') return false;
  return !isSameOrigin(headers, host);
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}
