import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { ApiRoute } from '../api/route-table.ts';
import type { GatewayContext } from '../proxy/gateway-context.ts';
import { handleApiRequest } from '../proxy/handle-api-request.ts';
import type { ProxyServices } from '../proxy/proxy-context.ts';

/** The handler of one route of the backend. */
export function proxyApiRoute(route: ApiRoute, services: ProxyServices) {
  return async (c: GatewayContext): Promise<Response> => {
    await handleApiRequest(route, services, {
      incoming: c.env.incoming,
      response: c.get('response'),
      record: c.get('record'),
      key: c.get('key'),
      onKeepAlive: (keepAlive) => c.set('keepAlive', keepAlive),
    });
    return RESPONSE_ALREADY_SENT;
  };
}
