import { unknownUrl } from '../errors/catalogue.ts';
import { pageHeaders } from '../http/page-headers.ts';
import { getPublicOrigin } from '../http/public-origin.ts';
import type { GatewayContext } from '../proxy/gateway-context.ts';
import type { Asset } from './assets.ts';
import type { Dashboard } from './dashboard.ts';
import { dashboardPage } from './dashboard-page.ts';
import { landingPage } from './landing-page.ts';
import { loginPage } from './login-page.ts';
import { getSession } from './session-cookie.ts';

const fresh = { ...pageHeaders, 'cache-control': 'no-store' };

/** `GET /`: a page for people; for programs, which come by to see whether anybody is there, where all the rest is. */
export function handleLandingPage(dashboard: Dashboard) {
  return (c: GatewayContext) => {
    if (!c.req.header('accept')?.includes('text/html')) return c.json(pointer, 200, fresh);
    const { scheme, host } = getPublicOrigin(c.env.incoming, dashboard.isTrusted);
    const { model, standing } = dashboard.landing();
    const { version } = dashboard.assets;
    const origin = `${scheme}://${host ?? 'localhost'}`;
    return c.html(landingPage({ version, origin, model, standing, needsKey: !dashboard.isOpen }), 200, fresh);
  };
}

const pointer = {
  name: 'llama-corral',
  api: '/v1',
  models: '/v1/models',
  documentation: '/docs',
  openapi: '/openapi.json',
  health: '/health',
};

/** `GET /dashboard`: the dashboard for who may see it, else the place to log in. */
export function handleDashboardPage(dashboard: Dashboard) {
  return (c: GatewayContext) => {
    const { version } = dashboard.assets;
    if (dashboard.isOpen) return c.html(dashboardPage({ version, keyId: undefined }), 200, fresh);
    const session = getSession(c, dashboard.sessions);
    const page = session ? dashboardPage({ version, keyId: session.keyId }) : loginPage(version);
    return c.html(page, 200, fresh);
  };
}

const YEAR = 'public, max-age=31536000, immutable';

/** `GET /dashboard/assets/{version}/{name}`; a version that is not ours is answered, and not to be kept. */
export function handleAsset({ assets }: Dashboard) {
  return (c: GatewayContext) => {
    const asset = assets.find(c.req.param('name') ?? '');
    if (asset === undefined) throw unknownUrl(c.req.method, c.req.path);
    return send(c, asset, c.req.param('version') === assets.version ? YEAR : 'no-cache');
  };
}

/** `GET /favicon.ico`: what browsers ask for unbidden, wherever no page names an icon, such as beside `/health`. */
export function handleFavicon({ assets }: Dashboard) {
  return (c: GatewayContext) => {
    const icon = assets.find('icon.svg');
    if (icon === undefined) throw unknownUrl(c.req.method, c.req.path);
    return send(c, icon, 'public, max-age=86400');
  };
}

function send(c: GatewayContext, { body, type, etag }: Asset, keep: string) {
  const headers = { ...pageHeaders, 'cache-control': keep, etag };
  if (c.req.header('if-none-match')?.includes(etag)) return c.body(null, 304, headers);
  return c.body(new Uint8Array(body), 200, { ...headers, 'content-type': type });
}
