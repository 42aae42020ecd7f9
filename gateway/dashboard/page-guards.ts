import type { IncomingHttpHeaders } from 'node:http';
import type { MiddlewareHandler } from 'hono';
import { crossSiteRequest, sessionRequired } from '../errors/catalogue.ts';
import { getPublicOrigin } from '../http/forwarded.ts';
import type { GatewayContext, GatewayEnv } from '../proxy/gateway-context.ts';
import type { Dashboard } from './dashboard.ts';
import { getSession } from './sessions.ts';

/** Rejects requests without a session, unless authentication is off. */
export function requireSession(dashboard: Dashboard): MiddlewareHandler<GatewayEnv> {
  return async function requireSession(c, next) {
    if (dashboard.isPublic) return next();
    const session = getSession(c, dashboard.sessions);
    if (session === undefined) throw sessionRequired();
    c.get('record').keyId = session.keyId;
    return next();
  };
}

/** Rejects requests from pages of other sites. A request that changes something must prove that it is from our page. */
export function requireSameOrigin(dashboard: Dashboard): MiddlewareHandler<GatewayEnv> {
  return async function requireSameOrigin(c, next) {
    if (!isAllowedOrigin(c, dashboard)) throw crossSiteRequest();
    return next();
  };
}

function isAllowedOrigin(c: GatewayContext, { isTrusted }: Dashboard): boolean {
  const { incoming } = c.env;
  const { host } = getPublicOrigin(incoming, isTrusted);
  if (incoming.method === 'GET' || incoming.method === 'HEAD') return !isCrossSite(incoming.headers, host);
  return isSameOrigin(incoming.headers, host);
}

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
