import { adminDisabled } from '../errors/catalogue.ts';
import { getPublicOrigin } from '../http/public-origin.ts';
import type { GatewayContext } from '../proxy/gateway-context.ts';
import type { Dashboard } from './dashboard.ts';
import { deleteSessionCookie, getSession, getSessionId, setSessionCookie } from './session-cookie.ts';

/** `POST /dashboard/session`, behind the door: the key that it has let in opens a session. */
export function handleLogin({ sessions, isTrusted }: Dashboard) {
  return (c: GatewayContext) => {
    const key = c.get('key');
    if (key === undefined) throw adminDisabled();
    const { previousSecret = false } = c.get('record');
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

/** `GET /dashboard/session`: whether there is one, and whether the page that asks is still ours. */
export function handleSessionStatus(dashboard: Dashboard) {
  return (c: GatewayContext) => {
    const active = dashboard.isOpen || getSession(c, dashboard.sessions) !== undefined;
    return c.json({ active, version: dashboard.assets.version }, 200, { 'cache-control': 'no-store' });
  };
}
