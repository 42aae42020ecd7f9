import { randomUUID } from 'node:crypto';
import type { MiddlewareHandler } from 'hono';
import { routePath } from 'hono/route';
import type { Log } from '../../log/create-log.ts';
import { recordUnhandledError } from '../../log/unhandled-errors.ts';
import { logRequest } from '../access-log.ts';
import { isAnthropicClient } from '../api/anthropic/anthropic-client.ts';
import type { Dashboard } from '../dashboard/dashboard.ts';
import { clientAddress, type IsTrustedProxy } from '../http/client-address.ts';
import { ClientResponse } from '../http/client-response.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { getOutcome, reachedStreamEnd } from '../proxy/request-outcome.ts';
import { createRequestRecord as newRecord } from '../proxy/request-record.ts';
import type { Tracing } from '../tracing/tracing.ts';
import type { UsageRecorder } from '../usage/usage-recorder.ts';
import type { GatewayEnv } from './gateway-context.ts';

/** Ids that others may log as they are: no spaces, no control characters, no length of its own. */
const wellFormed = /^[\w.:+/=-]{1,128}$/;

export interface RequestContextOptions {
  readonly log: Log;
  readonly isTrusted: IsTrustedProxy;
  readonly books: UsageRecorder;
  readonly metrics: Pick<Metrics, 'onRequestFinished'>;
  readonly dashboard: Pick<Dashboard, 'onRequestFinished'>;
  readonly tracing: Tracing | undefined;
}

/**
 * Gives a request its id, kept from `x-request-id` where that is well-formed, and its record. When the response has
 * closed, whichever way out it took, the record is booked, counted, and becomes one line of the log.
 */
export function requestContext({
  log,
  isTrusted,
  books,
  metrics,
  dashboard,
  tracing,
}: RequestContextOptions): MiddlewareHandler<GatewayEnv> {
  return async function openRecord(c, next) {
    const { incoming, outgoing } = c.env;
    const given = incoming.headers['x-request-id'];
    const id = typeof given === 'string' && wellFormed.test(given) ? given : randomUUID();
    const address = clientAddress(
      incoming.socket.remoteAddress,
      incoming.headers['x-forwarded-for']?.toString(),
      isTrusted,
    );
    const record = newRecord({ id, method: c.req.method, path: c.req.path, address });
    if (tracing) record.trace = tracing.startTrace(record, incoming.headers);
    c.set('record', record);
    const response = new ClientResponse(outgoing);
    c.set('response', response);
    response.setHeader('x-request-id', id);
    // The name under which Anthropic's clients look for it.
    if (isAnthropicClient(c.req.path, incoming.headers)) response.setHeader('request-id', id);
    const book = books.begin();
    const closed = new Promise((resolve) => outgoing.once('close', resolve));
    await next();
    response.copyHeadersToRaw();
    const tellEnd = async () => {
      const { statusCode, writableFinished } = outgoing;
      record.endedAt = performance.now();
      const completed = writableFinished || reachedStreamEnd(record);
      try {
        await record.pendingUsage;
        const end = getOutcome(record, statusCode, completed);
        record.trace?.end(end);
        logRequest(log, record, end);
        const finished = { record, end, pattern: routePath(c, -1), priority: c.get('key')?.priority };
        metrics.onRequestFinished(finished);
        dashboard.onRequestFinished(finished);
      } finally {
        // Whatever went wrong in telling of it: a stop waits for the books.
        book(record, record.error !== undefined || (completed && statusCode >= 400));
      }
    };
    closed.then(tellEnd).catch(recordUnhandledError);
  };
}
