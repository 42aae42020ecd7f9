import type { MiddlewareHandler } from 'hono';
import type { GatewayContext, GatewayEnv } from '../door/gateway-context.ts';
import { seenAs } from '../door/seen-as.ts';
import { sessionNeeded, wrongSite } from '../refusal/catalogue.ts';
import type { Dashboard } from './open-dashboard.ts';
import { comesFromElsewhere, comesFromOurPage } from './same-site.ts';
import { sessionOf } from './session-cookie.ts';

/** Lets in who has a session, and notes whose it is; everybody where authentication is off. */
export function withSession(dashboard: Dashboard): MiddlewareHandler<GatewayEnv> {
  return async function withSession(c, next) {
    if (dashboard.isOpen) return next();
    const session = sessionOf(c, dashboard.sessions);
    if (session === undefined) throw sessionNeeded();
    c.get('record').keyId = session.keyId;
    return next();
  };
}

/** Keeps the pages of other sites out. What changes something has to say that a page of ours sends it. */
export function fromOurPage(dashboard: Dashboard): MiddlewareHandler<GatewayEnv> {
  return async function fromOurPage(c, next) {
    if (!isOurs(c, dashboard)) throw wrongSite();
    return next();
  };
}

function isOurs(c: GatewayContext, { isTrusted }: Dashboard): boolean {
  const { incoming } = c.env;
  const { host } = seenAs(incoming, isTrusted);
  if (incoming.method === 'GET' || incoming.method === 'HEAD')
    return !comesFromElsewhere(incoming.headers, host);
  return comesFromOurPage(incoming.headers, host);
}
