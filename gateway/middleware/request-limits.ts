import type { IncomingMessage } from 'node:http';
import {
  dailyBudgetExceeded,
  headerFieldsTooLarge,
  malformedRequest,
  uriTooLong,
} from '../errors/catalogue.ts';
import type { RateLimits } from '../limits/rate-limits.ts';
import type { RequestContext } from '../proxy/request-context.ts';
import type { Guard } from './guard.ts';

export interface HeaderLimits {
  readonly maxHeaders: number;
  readonly maxHeaderLineBytes: number;
  readonly maxRequestLineBytes: number;
}

const METHOD_AND_VERSION = ' '.length + ' HTTP/1.1'.length;
const COLON_AND_SPACE = 2;

/** Limits the request line, each header line and the number of headers; Node's parser limits only their sum. */
export function limitHeaders(limits: HeaderLimits): (context: RequestContext) => void {
  const { maxHeaders, maxHeaderLineBytes, maxRequestLineBytes } = limits;
  return ({ incoming }) => {
    const { method = '', url = '', rawHeaders } = incoming;
    if (method.length + url.length + METHOD_AND_VERSION > maxRequestLineBytes)
      throw uriTooLong(maxRequestLineBytes);
    if (rawHeaders.length / 2 > maxHeaders) throw headerFieldsTooLarge();
    let hosts = 0;
    for (let i = 0; i < rawHeaders.length; i += 2) {
      const name = rawHeaders[i] ?? '';
      const line = name.length + COLON_AND_SPACE + (rawHeaders[i + 1]?.length ?? 0);
      if (line > maxHeaderLineBytes) throw headerFieldsTooLarge();
      if (isHost(name)) hosts += 1;
    }
    if (!hasValidHost(incoming, hosts)) throw malformedRequest();
  };
}

const isHost = (name: string) => name.length === 4 && name.toLowerCase() === 'host';

/** RFC 9112, section 3.2: exactly one Host, optional in HTTP/1.0. Node would use the first of several. */
function hasValidHost({ httpVersion }: IncomingMessage, hosts: number): boolean {
  if (hosts === 0) return httpVersion === '1.0';
  return hosts === 1 && (httpVersion === '1.1' || httpVersion === '1.0');
}

/** Sets the rate limit headers on responses that do not count. */
export function reportRates(limits: RateLimits): Guard {
  return (context) => limits.setHeaders(context);
}

/** Counts a request towards the requests per minute of its key. */
export function countRequests(limits: RateLimits): Guard {
  return (context) => {
    const counting = limits.countRequest(context, 'requests');
    return counting instanceof Promise ? counting.then(() => undefined) : undefined;
  };
}

/** The usage of each key since midnight UTC. */
export interface DailyUsage {
  /** Resolves when the usage from before the start of this process has been read. */
  readonly ready: Promise<void>;
  today(keyId: string, now: number): { readonly input: number; readonly output: number };
  tokensOfUser(keyId: string, user: string, now: number): number;
}

/** Rejects a key, or a user of one, that has used up its `tokensPerDay`, until midnight UTC. Requests in progress may exceed it. */
export function limitDailyTokens(usage: DailyUsage): Guard {
  return ({ key, record: { user } }) => {
    const budget = key?.limits.tokensPerDay ?? 0;
    const ofUser = user === undefined ? 0 : (key?.userLimits.tokensPerDay ?? 0);
    if (key === undefined || (budget === 0 && ofUser === 0)) return undefined;
    return usage.ready.then(() => {
      const { input, output } = usage.today(key.id, Date.now());
      if (budget > 0 && input + output >= budget) throw dailyBudgetExceeded(budget, input + output);
      if (user === undefined || ofUser === 0) return;
      const used = usage.tokensOfUser(key.id, user, Date.now());
      if (used >= ofUser) throw dailyBudgetExceeded(ofUser, used, 'user');
    });
  };
}
