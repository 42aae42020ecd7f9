import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { pageHeaders } from '../http/page-headers.ts';
import type { GatewayContext } from '../proxy/gateway-context.ts';
import type { Dashboard } from './dashboard.ts';
import { getSessionId } from './session-cookie.ts';

/** `GET /dashboard/events`: what the dashboard shows, once a second, until the page or its session is closed. */
export function handleEvents(dashboard: Dashboard) {
  return async (c: GatewayContext) => {
    const response = c.get('response');
    const id = getSessionId(c);
    const isWelcome = () => dashboard.isOpen || dashboard.sessions.find(id, Date.now()) !== undefined;
    response.writeHead(200, {
      ...pageHeaders,
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
    });
    if (c.req.method === 'HEAD') response.end();
    else await dashboard.clients.add({ response: response.raw, isAuthorized: isWelcome });
    return RESPONSE_ALREADY_SENT;
  };
}
