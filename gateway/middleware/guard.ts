import type { MiddlewareHandler } from 'hono';
import type { GatewayEnv } from '../proxy/gateway-context.ts';
import type { RequestContext } from '../proxy/request-context.ts';

/**
 * Checks a request before its handler, and writes what it finds into the context. Throws, or rejects with, the ApiError of a
 * request that may not go on. Returns a promise only where it has to wait, so that the API's routes can do without.
 */
export type Guard = (context: RequestContext) => void | Promise<void>;

/** For the routes that Hono serves. */
export function guarded(guard: Guard): MiddlewareHandler<GatewayEnv> {
  return async (c, next) => {
    await guard(c.get('request'));
    return next();
  };
}
