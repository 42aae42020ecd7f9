import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { MiddlewareHandler } from 'hono';
import { routePath } from 'hono/route';
import { recordUnhandledError } from '../../log/unhandled-errors.ts';
import { isAnthropicClient } from '../api/error-response.ts';
import { clientAddress, type IsTrustedProxy } from '../http/client-address.ts';
import { ClientResponse } from '../http/client-response.ts';
import type { GatewayEnv } from '../proxy/gateway-context.ts';
import {
  createRequestRecord,
  getOutcome,
  type RequestEvents,
  type RequestRecord,
  type RequestTrace,
  reachedStreamEnd,
} from '../proxy/request-record.ts';

/** Ids that others can log as they are: no spaces, no control characters, a bounded length. */
const wellFormed = /^[\w.:+/=-]{1,128}$/;

export interface RequestContextOptions {
  readonly isTrusted: IsTrustedProxy;
  readonly requestEvents: RequestEvents;
  /** Undefined where requests are not traced. */
  readonly startTrace:
    | ((record: RequestRecord, headers: IncomingHttpHeaders) => RequestTrace | undefined)
    | undefined;
}

/**
 * Creates the record of a request, with its id (a well-formed `x-request-id` is kept), and the writer of its response.
 * When the response has closed, in whichever way, the observers get the record.
 */
export function requestContext({
  isTrusted,
  requestEvents,
  startTrace,
}: RequestContextOptions): MiddlewareHandler<GatewayEnv> {
  return async function requestContext(c, next) {
    const { incoming, outgoing } = c.env;
    const given = incoming.headers['x-request-id'];
    const id = typeof given === 'string' && wellFormed.test(given) ? given : randomUUID();
    const address = clientAddress(
      incoming.socket.remoteAddress,
      incoming.headers['x-forwarded-for']?.toString(),
      isTrusted,
    );
    const record = createRequestRecord({ id, method: c.req.method, path: c.req.path, address });
    if (startTrace) record.trace = startTrace(record, incoming.headers);
    c.set('record', record);
    const response = new ClientResponse(outgoing);
    c.set('response', response);
    response.setHeader('x-request-id', id);
    // Anthropic's clients read the id from this header.
    if (isAnthropicClient(c.req.path, incoming.headers)) response.setHeader('request-id', id);
    requestEvents.begin();
    const closed = new Promise((resolve) => outgoing.once('close', resolve));
    await next();
    response.copyHeadersToRaw();
    const onClosed = async () => {
      const { statusCode, writableFinished } = outgoing;
      record.endedAt = performance.now();
      const completed = writableFinished || reachedStreamEnd(record);
      await record.pendingUsage?.catch(recordUnhandledError);
      const end = getOutcome(record, statusCode, completed);
      requestEvents.finish({ record, end, pattern: routePath(c, -1), priority: c.get('key')?.priority });
    };
    closed.then(onClosed).catch(recordUnhandledError);
  };
}
