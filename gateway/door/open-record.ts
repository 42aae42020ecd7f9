import { randomUUID } from 'node:crypto';
import type { MiddlewareHandler } from 'hono';
import { routePath } from 'hono/route';
import type { Log } from '../../log/create-log.ts';
import { recordUnhandledError } from '../../log/unforeseen.ts';
import { isAnthropicClient } from '../anthropic/speaks-anthropic.ts';
import { ClientResponse } from '../client-response.ts';
import type { Dashboard } from '../dashboard/open-dashboard.ts';
import type { Metrics } from '../metrics/open-metrics.ts';
import type { UsageRecorder } from '../record/bookkeeper.ts';
import { logRequest } from '../record/log-request.ts';
import { getOutcome, reachedStreamEnd } from '../record/request-end.ts';
import { createRequestRecord as newRecord } from '../record/request-record.ts';
import type { Tracing } from '../traces/tracing.ts';
import { clientAddress, type IsTrustedProxy } from './client-address.ts';
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
