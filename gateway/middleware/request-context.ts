import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { recordUnhandledError } from '../../log/unhandled-errors.ts';
import { isAnthropicClient } from '../api/error-response.ts';
import { clientAddress, type IsTrustedProxy } from '../http/client-address.ts';
import { RequestContext } from '../proxy/request-context.ts';
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
 * Creates the context of each request, with its record and its id (a well-formed `x-request-id` is kept). When the
 * request has ended, in whichever way, the observers get the record.
 */
export class RequestContexts {
  readonly #options: RequestContextOptions;

  constructor(options: RequestContextOptions) {
    this.#options = options;
  }

  /** `path` is the request's, decoded. */
  create(incoming: IncomingMessage, outgoing: ServerResponse, path: string): RequestContext {
    const { isTrusted, startTrace, requestEvents } = this.#options;
    const { headers, method = '', socket } = incoming;
    const given = headers['x-request-id'];
    const id = typeof given === 'string' && wellFormed.test(given) ? given : randomUUID();
    const forwardedFor = headers['x-forwarded-for']?.toString();
    const address = clientAddress(socket.remoteAddress, forwardedFor, isTrusted);
    const record = createRequestRecord({ id, method, path, address });
    if (startTrace) record.trace = startTrace(record, headers);
    requestEvents.begin();
    const context = new RequestContext(incoming, outgoing, record, this.#onEnd);
    context.response.setHeader('x-request-id', id);
    // Anthropic's clients read the id from this header.
    if (isAnthropicClient(path, headers)) context.response.setHeader('request-id', id);
    return context;
  }

  /** Completes the record and passes it on, at once unless its tokens have to be counted first. */
  readonly #onEnd = ({ record, response, pattern, key, isBatch }: RequestContext): void => {
    const { statusCode, writableFinished } = response.raw;
    record.endedAt = performance.now();
    const completed = writableFinished || reachedStreamEnd(record);
    const finish = () => {
      const end = getOutcome(record, statusCode, completed);
      const priority = isBatch ? 'batch' : key?.priority;
      this.#options.requestEvents.finish({ record, end, pattern, priority });
    };
    if (record.pendingUsage === undefined) finish();
    else record.pendingUsage.catch(recordUnhandledError).then(finish).catch(recordUnhandledError);
  };
}
