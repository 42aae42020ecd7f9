import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import type { RequestContext } from './request-context.ts';

/** The context of Hono's handlers, for all routes that Hono serves. */
export interface GatewayEnv {
  Bindings: HttpBindings;
  Variables: { request: RequestContext };
}

export type GatewayContext = Context<GatewayEnv>;
