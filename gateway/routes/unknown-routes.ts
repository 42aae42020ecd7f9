import { apiRoutes } from '../api/route-table.ts';
import { compactionNotSupported, methodNotAllowed, webSocketNotSupported } from '../errors/catalogue.ts';
import type { GatewayContext } from '../proxy/gateway-context.ts';

/** Codex tries a WebSocket on these paths first, and falls back to HTTP at once only on a 426. */
const webSocketPaths = new Set(['/v1/responses', '/responses']);

/** OpenAI's route that replaces a conversation by an encrypted summary. */
const compactionPaths = new Set(['/v1/responses/compact', '/responses/compact']);

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** Handles all methods that a path does not support; OPTIONS gets those that it supports. */
export function rejectOtherMethods(...allowed: readonly Method[]) {
  const named = allowed.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
  const supported = [...named, 'OPTIONS'].join(', ');
  return (c: GatewayContext) => {
    const { method, path } = c.req;
    if (method === 'OPTIONS') return c.body(null, 204, { allow: supported });
    if (method === 'GET' && webSocketPaths.has(path) && isWebSocketUpgrade(c))
      throw webSocketNotSupported(path);
    if (method === 'POST' && compactionPaths.has(path)) throw compactionNotSupported();
    throw methodNotAllowed(method, path, allowed);
  };
}

function isWebSocketUpgrade(c: GatewayContext): boolean {
  return /(?:^|,)\s*websocket\s*(?:$|[,/])/i.test(c.req.header('upgrade') ?? '');
}

/** The paths that exist, longest first, and the canonical spelling of each. */
const canonical = new Map(
  [
    ...apiRoutes.flatMap(({ paths, upstream }) =>
      [...paths, upstream.replace(/^\/v1/, '')].map((path) => [path, paths[0] ?? path] as const),
    ),
    ['/v1/models', '/v1/models'] as const,
    ['/models', '/v1/models'] as const,
    ['/files', '/v1/files'] as const,
    ['/batches', '/v1/batches'] as const,
    ['/conversations', '/v1/conversations'] as const,
    ['/messages/batches', '/v1/messages/batches'] as const,
  ].toSorted(([a], [b]) => b.length - a.length),
);

/**
 * A hint for an unknown path that ends as an existing one does: the client's base URL is wrong, by a `/v1` too many or
 * because another kind of server needs it. Undefined for all other paths.
 */
export function suggestPath(path: string): string | undefined {
  const normalized = path
    .replace(/\/{2,}/g, '/')
    .replace(/\/$/, '')
    .toLowerCase();
  const [, intended] = [...canonical].find(([end]) => normalized.endsWith(end)) ?? [];
  return intended === undefined || intended === path
    ? undefined
    : `Did you mean ${intended}?${explain(normalized)}`;
}

function explain(path: string): string {
  if (path.startsWith('/v1/v1/')) return ' The client adds /v1 itself: remove it from the base URL.';
  if (path.includes('/deployments/'))
    return ' Deployments are not supported: use a base URL that ends in /v1, and name the model in the body.';
  return '';
}
