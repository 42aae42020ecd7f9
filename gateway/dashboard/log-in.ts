import type { GatewayContext } from '../door/gateway-context.ts';
import { seenAs } from '../door/seen-as.ts';
import { administrationOff } from '../refusal/catalogue.ts';
import type { Dashboard } from './open-dashboard.ts';
import { giveCookie, sessionIdOf, sessionOf, takeCookie } from './session-cookie.ts';

/** `POST /dashboard/session`, behind the door: the key that it has let in opens a session. */
export function logIn({ sessions, isTrusted }: Dashboard) {
  return (c: GatewayContext) => {
    const key = c.get('key');
    if (key === undefined) throw administrationOff();
    const { previousSecret = false } = c.get('record');
    sessions.close(sessionIdOf(c));
    const id = sessions.open(key, previousSecret, Date.now());
    giveCookie(c, id, seenAs(c.env.incoming, isTrusted).scheme === 'https');
    return c.body(null, 204);
  };
}

/** `DELETE /dashboard/session`. */
export function logOut({ sessions }: Dashboard) {
  return (c: GatewayContext) => {
    sessions.close(sessionIdOf(c));
    takeCookie(c);
    return c.body(null, 204);
  };
}

/** `GET /dashboard/session`: whether there is one, and whether the page that asks is still ours. */
export function showSession(dashboard: Dashboard) {
  return (c: GatewayContext) => {
    const active = dashboard.isOpen || sessionOf(c, dashboard.sessions) !== undefined;
    return c.json({ active, version: dashboard.assets.version }, 200, { 'cache-control': 'no-store' });
  };
}
