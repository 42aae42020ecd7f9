import type { IncomingMessage } from 'node:http';
import type { MiddlewareHandler } from 'hono';
import { ApiError } from '../errors/api-error.ts';
import {
  dailyBudgetExceeded,
  headerFieldsTooLarge,
  malformedRequest,
  uriTooLong,
} from '../errors/catalogue.ts';
import type { RateLimits } from '../limits/rate-limits.ts';
import type { GatewayEnv } from '../proxy/gateway-context.ts';

export interface HeaderLimits {
  readonly maxHeaders: number;
  readonly maxHeaderLineBytes: number;
  readonly maxRequestLineBytes: number;
}

const METHOD_AND_VERSION = ' '.length + ' HTTP/1.1'.length;
const COLON_AND_SPACE = 2;

/** RFC 9112, section 3.2: exactly one Host, optional in HTTP/1.0. Node would use the first of several. */
function hasValidHost({ httpVersion }: IncomingMessage, hosts: number): boolean {
  if (hosts === 0) return httpVersion === '1.0';
  return hosts === 1 && (httpVersion === '1.1' || httpVersion === '1.0');
}

const isHost = (name: string) => name.length === 4 && name.toLowerCase() === 'host';

/** Limits the request line, each header line and the number of headers; Node's parser limits only their sum. */
export function limitHeaders(limits: HeaderLimits): MiddlewareHandler<GatewayEnv> {
  return async function limitHeaders(c, next) {
    const { method = '', url = '', rawHeaders } = c.env.incoming;
    if (method.length + url.length + METHOD_AND_VERSION > limits.maxRequestLineBytes) {
      throw uriTooLong(limits.maxRequestLineBytes);
    }
    if (rawHeaders.length / 2 > limits.maxHeaders) throw headerFieldsTooLarge();
    let hosts = 0;
    for (let i = 0; i < rawHeaders.length; i += 2) {
      const name = rawHeaders[i] ?? '';
      const line = name.length + COLON_AND_SPACE + (rawHeaders[i + 1]?.length ?? 0);
      if (line > limits.maxHeaderLineBytes) throw headerFieldsTooLarge();
      if (isHost(name)) hosts += 1;
    }
    if (!hasValidHost(c.env.incoming, hosts)) throw malformedRequest();
    return next();
  };
}

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
