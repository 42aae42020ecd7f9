import { methodNotAllowed, webSocketNotSupported } from '../errors/catalogue.ts';
import type { GatewayContext } from '../proxy/gateway-context.ts';

/** Codex knocks here first, and goes on over HTTP at once only where it hears 426. */
const dialledPaths = new Set(['/v1/responses', '/responses']);

/** For all methods that a path does not take; OPTIONS is told which it does. */
export function rejectOtherMethods(allowed: 'GET' | 'POST' | 'DELETE') {
  const takes = allowed === 'GET' ? 'GET, HEAD, OPTIONS' : `${allowed}, OPTIONS`;
  return (c: GatewayContext) => {
    const { method, path } = c.req;
    if (method === 'OPTIONS') return c.body(null, 204, { allow: takes });
    if (method === 'GET' && dialledPaths.has(path) && wantsWebSocket(c)) throw webSocketNotSupported(path);
    throw methodNotAllowed(method, path, [allowed]);
  };
}

function wantsWebSocket(c: GatewayContext): boolean {
  return /(?:^|,)\s*websocket\s*(?:$|[,/])/i.test(c.req.header('upgrade') ?? '');
}
