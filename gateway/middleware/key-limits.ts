import type { MiddlewareHandler } from 'hono';
import { ApiError } from '../errors/api-error.ts';
import { dailyBudgetExceeded } from '../errors/catalogue.ts';
import type { RateLimits } from '../limits/rate-limits.ts';
import type { GatewayEnv } from '../proxy/gateway-context.ts';

const TOO_MANY_REQUESTS = 429;

/**
 * Counts a request towards the requests per minute of its key, before the body is read, so that a rejection costs next to
 * nothing. A request that another limit of the key rejects later is not counted. Token counting has a counter of its own
 * (`counts`), as agents send dozens of such requests before the first one that generates.
 */
export function limitRequestRate(
  limits: RateLimits,
  unit: 'requests' | 'counts',
): MiddlewareHandler<GatewayEnv> {
  return async function limitRequestRate(c, next) {
    const refund = await limits.countRequest(c.get('key'), c.get('response'), unit);
    await next();
    if (c.error instanceof ApiError && c.error.status === TOO_MANY_REQUESTS) refund?.();
  };
}

/** Sets the rate limit headers on responses that do not count. */
export function reportRates(limits: RateLimits): MiddlewareHandler<GatewayEnv> {
  return async function reportRates(c, next) {
    await limits.setHeaders(c.get('key'), c.get('response'));
    await next();
  };
}

/** The usage of each key since midnight UTC. */
export interface DailyUsage {
  /** Resolves when the usage from before the start of this process has been read. */
  readonly ready: Promise<void>;
  today(keyId: string, now: number): { readonly input: number; readonly output: number };
}

/** Rejects a key that has used up its `tokensPerDay`, until midnight UTC. Requests in progress may exceed it. */
export function limitDailyTokens(usage: DailyUsage): MiddlewareHandler<GatewayEnv> {
  return async function limitDailyTokens(c, next) {
    const key = c.get('key');
    const budget = key?.limits.tokensPerDay ?? 0;
    if (key === undefined || budget === 0) return next();
    await usage.ready;
    const { input, output } = usage.today(key.id, Date.now());
    if (input + output >= budget) throw dailyBudgetExceeded(budget, input + output);
    return next();
  };
}
