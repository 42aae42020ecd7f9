import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import type { Key } from '../../keys/key.ts';
import type { ClientResponse } from '../http/client-response.ts';
import type { KeepAlive } from '../upstream/keep-alive.ts';
import type { RequestRecord } from './request-record.ts';

/** What the middleware leaves for the handlers. */
export interface GatewayVariables {
  record: RequestRecord;
  response: ClientResponse;
  /** Undefined without authentication, and before it. */
  key: Key | undefined;
  /** Set for a request that may be kept alive before its response. */
  keepAlive: KeepAlive | undefined;
}

export interface GatewayEnv {
  Bindings: HttpBindings;
  Variables: GatewayVariables;
}

export type GatewayContext = Context<GatewayEnv>;
