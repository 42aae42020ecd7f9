import type { MiddlewareHandler } from 'hono';
import { rateHeaderNames } from '../limits/rate-headers.ts';
import type { GatewayEnv } from '../proxy/gateway-context.ts';
import { createOriginMatcher } from './allowed-origins.ts';

const METHODS = 'GET, POST, DELETE, OPTIONS';
const MAX_AGE_SECONDS = '86400';
const EXPOSED = [
  'x-request-id',
  'request-id',
  'x-queue-wait-ms',
  'openai-processing-ms',
  'x-corral-repaired',
  'x-corral-dropped-tools',
  'retry-after',
  'retry-after-ms',
  'x-should-retry',
  ...rateHeaderNames,
].join(', ');

/**
 * Lets browsers of the listed origins call. The headers are set first of all, so that they stand
 * on refusals and relayed streams alike. A preflight is answered without a key, as it cannot carry one, within the
 * limits of headers.
 */
export function cors(
  origins: readonly string[],
  limit: MiddlewareHandler<GatewayEnv>,
): MiddlewareHandler<GatewayEnv> {
  const any = origins.includes('*');
  const isAllowed = createOriginMatcher(origins);
  return async function cors(c, next) {
    const { incoming } = c.env;
    const response = c.get('response');
    const { origin } = incoming.headers;
    const allowed = origin !== undefined && (any || isAllowed(origin));
    if (origins.length > 0 && !any) response.setHeader('vary', 'Origin');
    if (allowed) {
      response.setHeader('access-control-allow-origin', any ? '*' : origin);
      response.setHeader('access-control-expose-headers', EXPOSED);
    }
    if (incoming.method !== 'OPTIONS' || incoming.headers['access-control-request-method'] === undefined) {
      return next();
    }
    // What is echoed below is bounded like in any other request.
    await limit(c, async () => {});
    if (allowed) {
      response.setHeader('access-control-allow-methods', METHODS);
      response.setHeader(
        'access-control-allow-headers',
        incoming.headers['access-control-request-headers'] ?? 'Authorization, Content-Type',
      );
      response.setHeader('access-control-max-age', MAX_AGE_SECONDS);
      // A page of the internet that calls into a private network is asked twice.
      if (incoming.headers['access-control-request-private-network'] === 'true') {
        response.setHeader('access-control-allow-private-network', 'true');
      }
    }
    return c.body(null, 204);
  };
}
