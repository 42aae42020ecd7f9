import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { MiddlewareHandler } from 'hono';
import { adminDisabled, crossSiteRequest, sessionRequired, unknownUrl } from '../errors/catalogue.ts';
import { getPublicOrigin } from '../http/client-address.ts';
import { isCrossSite, isSameOrigin } from '../http/same-origin.ts';
import { pageHeaders, sendStaticFile } from '../http/static-files.ts';
import type { GatewayContext, GatewayEnv } from '../proxy/gateway-context.ts';
import { chatPage } from './chat-page.ts';
import type { Dashboard } from './dashboard.ts';
import { dashboardPage } from './dashboard-page.ts';
import { landingPage, loginPage } from './pages.ts';
import { deleteSessionCookie, getSession, getSessionId, setSessionCookie } from './sessions.ts';

const uncachedHeaders = { ...pageHeaders, 'cache-control': 'no-store' };

/** `GET /`: a page for people, or a list of the main URLs as JSON for programs such as uptime checks. */
export function handleLandingPage(dashboard: Dashboard) {
  return (c: GatewayContext) => {
    if (!c.req.header('accept')?.includes('text/html'))
      return c.json({ ...mainUrls, ...(dashboard.hasChat && { chat: '/chat' }) }, 200, uncachedHeaders);
    const { scheme, host } = getPublicOrigin(c.env.incoming, dashboard.isTrusted);
    const { version } = dashboard.assets;
    const origin = `${scheme}://${host ?? 'localhost'}`;
    const needsKey = !dashboard.isPublic;
    const { hasChat } = dashboard;
    const page = landingPage({ version, origin, needsKey, hasChat, ...dashboard.getLandingStatus() });
    return c.html(page, 200, uncachedHeaders);
  };
}

const mainUrls = {
  name: 'llama-corral',
  api: '/v1',
  models: '/v1/models',
  documentation: '/docs',
  openapi: '/openapi.json',
  health: '/health',
};

/** `GET /dashboard`: the dashboard, or the login page if there is no session. */
export function handleDashboardPage(dashboard: Dashboard) {
  return (c: GatewayContext) => {
    const { assets, hasChat, isPublic } = dashboard;
    const { version } = assets;
    if (isPublic) return c.html(dashboardPage({ version, hasChat, keyId: undefined }), 200, uncachedHeaders);
    const session = getSession(c, dashboard.sessions);
    const page = session ? dashboardPage({ version, hasChat, keyId: session.keyId }) : loginPage(version);
    return c.html(page, 200, uncachedHeaders);
  };
}

/** No text that a model wrote can become markup there, whatever a script does with it. */
const chatHeaders = {
  ...uncachedHeaders,
  'content-security-policy': `${pageHeaders['content-security-policy']}; require-trusted-types-for 'script'; trusted-types 'none'`,
};

/** `GET /chat`. The page takes a key itself and sends it with each request to the API. */
export function handleChatPage({ assets: { version }, isPublic }: Dashboard) {
  return (c: GatewayContext) => c.html(chatPage({ version, needsKey: !isPublic }), 200, chatHeaders);
}

const ONE_YEAR = 'public, max-age=31536000, immutable';

/** `GET /dashboard/assets/{version}/{name}`. An outdated version gets the current file, which must not be cached. */
export function handleAsset({ assets }: Dashboard) {
  return (c: GatewayContext) => {
    const asset = assets.find(c.req.param('name') ?? '');
    if (asset === undefined) throw unknownUrl(c.req.method, c.req.path);
    const cacheControl = c.req.param('version') === assets.version ? ONE_YEAR : 'no-cache';
    return sendStaticFile(c, asset, { ...pageHeaders, 'cache-control': cacheControl });
  };
}

/** `GET /favicon.ico`: browsers request it for pages without an icon, such as `/health`. */
export function handleFavicon({ assets }: Dashboard) {
  return (c: GatewayContext) => {
    const icon = assets.find('icon.svg');
    if (icon === undefined) throw unknownUrl(c.req.method, c.req.path);
    return sendStaticFile(c, icon, { ...pageHeaders, 'cache-control': 'public, max-age=86400' });
  };
}

/** `POST /dashboard/session`: the key that passed authentication creates a session. */
export function handleLogin({ sessions, isTrusted }: Dashboard) {
  return (c: GatewayContext) => {
    const key = c.get('request').key;
    if (key === undefined) throw adminDisabled();
    const { previousSecret = false } = c.get('request').record;
    sessions.delete(getSessionId(c));
    const id = sessions.create(key, previousSecret, Date.now());
    setSessionCookie(c, id, getPublicOrigin(c.env.incoming, isTrusted).scheme === 'https');
    return c.body(null, 204);
  };
}

/** `DELETE /dashboard/session`. */
export function handleLogout({ sessions }: Dashboard) {
  return (c: GatewayContext) => {
    sessions.delete(getSessionId(c));
    deleteSessionCookie(c);
    return c.body(null, 204);
  };
}

/** `GET /dashboard/session`: whether there is a session, and the version by which a page detects that it is outdated. */
export function handleSessionStatus(dashboard: Dashboard) {
  return (c: GatewayContext) => {
    const active = dashboard.isPublic || getSession(c, dashboard.sessions) !== undefined;
    return c.json({ active, version: dashboard.assets.version }, 200, { 'cache-control': 'no-store' });
  };
}

/** `GET /dashboard/events`: the data of the dashboard, once per second, until the page or its session is closed. */
export function handleEvents(dashboard: Dashboard) {
  return async (c: GatewayContext) => {
    const response = c.get('request').response;
    const id = getSessionId(c);
    const isAuthorized = () => dashboard.isPublic || dashboard.sessions.find(id, Date.now()) !== undefined;
    response.writeHead(200, {
      ...pageHeaders,
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
    });
    if (c.req.method === 'HEAD') response.end();
    else await dashboard.clients.add({ response: response.raw, isAuthorized });
    return RESPONSE_ALREADY_SENT;
  };
}

/** Rejects requests without a session, unless authentication is off. */
export function requireSession(dashboard: Dashboard): MiddlewareHandler<GatewayEnv> {
  return async function requireSession(c, next) {
    if (dashboard.isPublic) return next();
    const session = getSession(c, dashboard.sessions);
    if (session === undefined) throw sessionRequired();
    c.get('request').record.keyId = session.keyId;
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
