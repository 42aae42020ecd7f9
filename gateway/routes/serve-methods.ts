import type { Handler, Hono } from 'hono';
import type { GatewayEnv } from '../proxy/gateway-context.ts';
import { type Method, rejectOtherMethods } from './unknown-routes.ts';

/** For each method of a path: the checks of a request, and what handles it. */
export type HandlersByMethod = Partial<Readonly<Record<Method, readonly Handler<GatewayEnv>[]>>>;

/** In the order in which an error names them. */
const methods = ['GET', 'POST', 'PUT', 'DELETE'] as const satisfies readonly Method[];

/** Serves these methods of a path, and rejects all others. */
export function serveMethods(app: Hono<GatewayEnv>, path: string, handlers: HandlersByMethod): void {
  const served = methods.filter((method) => handlers[method] !== undefined);
  for (const method of served) app.on(method, [path], ...(handlers[method] ?? []));
  app.all(path, rejectOtherMethods(...served));
}
