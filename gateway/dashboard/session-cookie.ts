import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import type { GatewayContext } from '../proxy/gateway-context.ts';
import type { Session } from './session.ts';
import { type Sessions, sessionSeconds } from './sessions.ts';

const NAME = 'corral_session';
const PATH = '/dashboard';

export const getSessionId = (c: GatewayContext) => getCookie(c, NAME);

export function getSession(c: GatewayContext, sessions: Sessions): Session | undefined {
  return sessions.find(getSessionId(c), Date.now());
}

/** No script can read it, and no other site's page sends it. `secure`: the browser came by https. */
export function setSessionCookie(c: GatewayContext, id: string, secure: boolean): void {
  setCookie(c, NAME, id, { httpOnly: true, sameSite: 'Strict', secure, path: PATH, maxAge: sessionSeconds });
}

export function deleteSessionCookie(c: GatewayContext): void {
  deleteCookie(c, NAME, { path: PATH });
}
