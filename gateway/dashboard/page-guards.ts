import type { MiddlewareHandler } from 'hono';
import { crossSiteRequest, sessionRequired } from '../errors/catalogue.ts';
import { getPublicOrigin } from '../http/public-origin.ts';
import type { GatewayContext, GatewayEnv } from '../proxy/gateway-context.ts';
import type { Dashboard } from './dashboard.ts';
import { isCrossSite, isSameOrigin } from './same-origin.ts';
import { getSession } from './session-cookie.ts';

/** Lets in who has a session, and notes whose it is; everybody where authentication is off. */
export function requireSession(dashboard: Dashboard): MiddlewareHandler<GatewayEnv> {
  return async function withSession(c, next) {
    if (dashboard.isOpen) return next();
    const session = getSession(c, dashboard.sessions);
    if (session === undefined) throw sessionRequired();
    c.get('record').keyId = session.keyId;
    return next();
  };
}

/** Keeps the pages of other sites out. What changes something has to say that a page of ours sends it. */
export function requireSameOrigin(dashboard: Dashboard): MiddlewareHandler<GatewayEnv> {
  return async function fromOurPage(c, next) {
    if (!isOurs(c, dashboard)) throw crossSiteRequest();
    return next();
  };
}

function isOurs(c: GatewayContext, { isTrusted }: Dashboard): boolean {
  const { incoming } = c.env;
  const { host } = getPublicOrigin(incoming, isTrusted);
  if (incoming.method === 'GET' || incoming.method === 'HEAD') return !isCrossSite(incoming.headers, host);
  return isSameOrigin(incoming.headers, host);
}
