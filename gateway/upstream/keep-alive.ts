import { formatComment } from '../../sse/sse.ts';
import type { StreamError, StreamFormatter } from '../api/response-format.ts';
import type { ClientResponse } from '../http/client-response.ts';
import { earlyHeaders } from './headers.ts';

/** How long a client may wait without receiving anything, ms. */
export interface KeepAliveTimes {
  /** Until the head of the response is sent. After that its status cannot change any more. */
  readonly headersAfter: number;
  /** Between two keep-alives once the head is sent; 0 turns them off. */
  readonly interval: number;
}

/** What the client has received so far. Times are `performance.now()`. */
export interface ClientProgress {
  readonly startedAt: number;
  readonly headersSent: boolean;
  readonly lastWriteAt: number;
}

export interface KeepAliveStep {
  /** A head is followed by a first keep-alive unless these are off, as some proxies wait for a byte of the body. */
  readonly send: 'nothing' | 'head' | 'keep-alive';
  /** When to check again, ms from now; undefined if nothing will ever be due. */
  readonly checkAgainIn: number | undefined;
}

/** What is due now. It is checked at intervals, not on each write: a stream that flows costs nothing. */
export function nextKeepAlive(
  { headersAfter, interval }: KeepAliveTimes,
  { startedAt, headersSent, lastWriteAt }: ClientProgress,
  now: number,
): KeepAliveStep {
  const afterInterval = interval > 0 ? interval : undefined;
  if (!headersSent) {
    const headIn = startedAt + headersAfter - now;
    if (headIn <= 0) return { send: 'head', checkAgainIn: afterInterval };
    // The backend may send the head long before that, and then nothing more.
    return { send: 'nothing', checkAgainIn: Math.min(headIn, afterInterval ?? headIn) };
  }
  if (afterInterval === undefined) return { send: 'nothing', checkAgainIn: undefined };
  const dueIn = lastWriteAt + interval - now;
  return dueIn <= 0
    ? { send: 'keep-alive', checkAgainIn: afterInterval }
    : { send: 'nothing', checkAgainIn: dueIn };
}

export interface KeepAliveOptions extends KeepAliveTimes {
  /** What the response will be. In a stream a keep-alive is an event or a comment, before JSON it is white space. */
  readonly format: 'events' | 'json';
  readonly formatter: StreamFormatter;
  /** When the client's request arrived, `performance.now()`. */
  readonly startedAt: number;
}

/**
 * Keeps the connection of a waiting client open: an early head, then a keep-alive in every silence. Nothing else writes
 * these. It may be started at any time before the response, also while the request is queued.
 */
export class KeepAlive implements Disposable {
  /** The text of the comments in a stream, such as `queued 3 of 12`; undefined if there is none. */
  comment: () => string | undefined = () => undefined;
  readonly #response: ClientResponse;
  readonly #options: KeepAliveOptions;
  #lastWriteAt = 0;
  #isStopped = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(response: ClientResponse, options: KeepAliveOptions) {
    this.#response = response;
    this.#options = options;
  }

  get format(): 'events' | 'json' {
    return this.#options.format;
  }

  /** Starts to keep the client alive. Times count from the arrival of its request. A second call has no effect. */
  start(): void {
    if (this.#timer === undefined && !this.#isStopped) this.#check();
  }

  /** A part of the response was written just now. Cheap enough to be called for every chunk. */
  touch(): void {
    this.#lastWriteAt = performance.now();
  }

  /** The response itself follows: inside JSON there is no place for a keep-alive. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  /** Ends a response whose head is sent already: with an error event, or with the error object in place of the response. */
  fail(error: StreamError, envelope: object): void {
    const { format, formatter } = this.#options;
    if (format === 'events') this.#response.end(Buffer.from(formatter.error(error)));
    else if (this.#isStopped) this.#response.destroy();
    else this.#response.end(Buffer.from(JSON.stringify(envelope)));
    this.stop();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #check = (): void => {
    const { startedAt } = this.#options;
    const progress = { startedAt, headersSent: this.#response.headersSent, lastWriteAt: this.#lastWriteAt };
    const { send, checkAgainIn } = nextKeepAlive(this.#options, progress, performance.now());
    if (send !== 'nothing') this.#send(send);
    this.#timer = checkAgainIn === undefined ? undefined : setTimeout(this.#check, checkAgainIn);
  };

  /** Nothing is added to what a client has not read yet. */
  #send(what: 'head' | 'keep-alive'): void {
    const response = this.#response;
    if (!response.acceptsData) return;
    const { format, interval } = this.#options;
    if (what === 'head') response.writeHead(200, earlyHeaders[format]);
    if (interval === 0) response.flushHead();
    else response.write(Buffer.from(format === 'events' ? this.#formatForStream() : '\n'));
    this.touch();
  }

  /** An event of the API, as many clients ignore comments; the queue position in a comment, as no API has an event for it. */
  #formatForStream(): string {
    const comment = this.comment();
    const event = this.#options.formatter.keepAlive();
    if (comment === undefined && event !== '') return event;
    return formatComment(comment ?? 'keep-alive') + event;
  }
}
