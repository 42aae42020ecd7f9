import type { MiddlewareHandler } from 'hono';
import { rateHeaderNames } from '../limits/rate-headers.ts';
import type { GatewayEnv } from '../proxy/gateway-context.ts';
import type { RequestContext } from '../proxy/request-context.ts';

export const ALLOW_ORIGIN = 'access-control-allow-origin';
const METHODS = 'GET, POST, PUT, DELETE, OPTIONS';
const PREFLIGHT_MAX_AGE_SECONDS = '86400';
const EXPOSED_HEADERS = [
  'x-request-id',
  'request-id',
  'x-queue-wait-ms',
  'openai-processing-ms',
  'x-corral-repaired',
  'x-corral-dropped-tools',
  'x-corral-alias',
  'x-corral-cache',
  'retry-after',
  'retry-after-ms',
  'x-should-retry',
  ...rateHeaderNames,
].join(', ');

/**
 * Allows browsers of the listed origins to call. To be called before anything else, so that errors and relayed streams
 * have the headers too.
 */
export function allowOrigins(origins: readonly string[]): (context: RequestContext) => void {
  const any = origins.includes('*');
  const isAllowed = createOriginMatcher(origins);
  return ({ incoming, response }) => {
    const { origin } = incoming.headers;
    if (origins.length > 0 && !any) response.setHeader('vary', 'Origin');
    if (origin === undefined || !(any || isAllowed(origin))) return;
    response.setHeader(ALLOW_ORIGIN, any ? '*' : origin);
    response.setHeader('access-control-expose-headers', EXPOSED_HEADERS);
  };
}

/**
 * Answers preflight requests. They need no key, as they cannot carry one. The requested headers are repeated in the
 * response, so the size of all headers must have been limited before.
 */
export const answerPreflight: MiddlewareHandler<GatewayEnv> = async (c, next) => {
  const { response, incoming } = c.get('request');
  if (incoming.method !== 'OPTIONS' || incoming.headers['access-control-request-method'] === undefined)
    return next();
  if (response.hasHeader(ALLOW_ORIGIN)) {
    response.setHeader('access-control-allow-methods', METHODS);
    response.setHeader(
      'access-control-allow-headers',
      incoming.headers['access-control-request-headers'] ?? 'Authorization, Content-Type',
    );
    response.setHeader('access-control-max-age', PREFLIGHT_MAX_AGE_SECONDS);
    // Browsers ask for this when a page of the internet calls into a private network.
    if (incoming.headers['access-control-request-private-network'] === 'true')
      response.setHeader('access-control-allow-private-network', 'true');
  }
  return c.body(null, 204);
};

/** A host name has at most 253 characters. */
const MAX_ORIGIN_LENGTH = 300;

/** Whether an origin matches one of the entries of `CORS_ORIGINS`, which are of the kind `origins`. */
export function createOriginMatcher(entries: readonly string[]): (origin: string) => boolean {
  const exact = new Set(entries.filter((entry) => !entry.includes('*')));
  const patterns = entries.filter((entry) => entry.includes('*')).map(patternFrom);
  return (origin) => {
    if (origin.length > MAX_ORIGIN_LENGTH) return false;
    const lower = origin.toLowerCase();
    return exact.has(lower) || patterns.some((pattern) => pattern.test(lower));
  };
}

/** The port `*` also matches an origin without a port. */
function patternFrom(entry: string): RegExp {
  const [scheme = '', rest = ''] = entry.split('://');
  const [, host = '', port] = /^(\[.*\]|[^:]*)(?::(.*))?$/.exec(rest) ?? [];
  const ending = port === '*' ? '(?::\\d+)?' : port === undefined ? '' : `:${port}`;
  return new RegExp(`^${RegExp.escape(scheme)}://${hostPattern(host)}${ending}$`);
}

function hostPattern(host: string): string {
  if (host === '*') return '(?:\\[[0-9a-f:.]+\\]|[^/:@?#\\s]+)';
  return host.split('.').map(labelPattern).join('\\.');
}

/** A label that is `*` matches one or more labels. */
function labelPattern(label: string): string {
  if (label === '*') return '[a-z0-9_-]+(?:\\.[a-z0-9_-]+)*';
  return label
    .split('*')
    .map((part) => RegExp.escape(part))
    .join('[a-z0-9_-]+');
}
