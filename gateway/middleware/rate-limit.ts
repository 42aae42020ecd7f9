import type { MiddlewareHandler } from 'hono';
import { ApiError } from '../errors/api-error.ts';
import type { RateLimits } from '../limits/rate-limits.ts';
import type { GatewayEnv } from '../proxy/gateway-context.ts';

const TOO_MANY = 429;

/**
 * Counts a request against what its key may ask for in a minute. Before the body is read, so that a refusal costs next
 * to nothing. What another limit of the key refuses behind it is not counted. Requests that only count have a count of
 * their own: agents send dozens of them before the first that is to be answered.
 */
export function limitRequestRate(
  limits: RateLimits,
  unit: 'requests' | 'counts',
): MiddlewareHandler<GatewayEnv> {
  return async function limitRequests(c, next) {
    const giveBack = await limits.countRequest(c.get('key'), c.get('response'), unit);
    await next();
    if (c.error instanceof ApiError && c.error.status === TOO_MANY) giveBack?.();
  };
}

/** Tells where a key stands on answers that cost nothing. */
export function reportRates(limits: RateLimits): MiddlewareHandler<GatewayEnv> {
  return async function showRates(c, next) {
    await limits.setHeaders(c.get('key'), c.get('response'));
    await next();
  };
}
