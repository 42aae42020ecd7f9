import { formatComment } from '../../sse/sse.ts';
import type { StreamError, StreamFormatter } from '../api/response-format.ts';
import type { ClientResponse } from '../http/client-response.ts';
import { type KeepAliveTimes, nextKeepAlive } from './next-keep-alive.ts';
import { earlyHeaders } from './stream-headers.ts';

export interface KeepAliveOptions extends KeepAliveTimes {
  /** What the answer is to be: a stream takes events or comments for signs of life, JSON takes white space. */
  readonly format: 'events' | 'json';
  readonly formatter: StreamFormatter;
  /** When the client's request arrived, `performance.now()`. */
  readonly startedAt: number;
}

/**
 * Keeps a request that waits alive: an early head, then a sign of life in every silence. The one writer of both. It may
 * be started at any time before the answer, while its request stands in line too.
 */
export class KeepAlive implements Disposable {
  /** What a stream is told in a silence, such as `queued 3 of 12`; undefined where there is nothing to tell. */
  comment: () => string | undefined = () => undefined;
  readonly #response: ClientResponse;
  readonly #options: KeepAliveOptions;
  #lastAt = 0;
  #isOver = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(response: ClientResponse, options: KeepAliveOptions) {
    this.#response = response;
    this.#options = options;
  }

  get format(): 'events' | 'json' {
    return this.#options.format;
  }

  /** From here on the client is kept alive, counted from its request's arrival. A second call changes nothing. */
  start(): void {
    if (this.#timer === undefined && !this.#isOver) this.#look();
  }

  /** Something of the answer went out just now. Cheap enough to be called for every piece. */
  touch(): void {
    this.#lastAt = performance.now();
  }

  /** The rest is the answer's own: JSON, once begun, has no room for signs. */
  stop(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }

  /** Ends an answer whose head is out already: with an error event, or with the error object that stands for the answer. */
  fail(broken: StreamError, envelope: object): void {
    const { format, formatter } = this.#options;
    if (format === 'events') this.#response.end(Buffer.from(formatter.error(broken)));
    else if (this.#isOver) this.#response.destroy();
    else this.#response.end(Buffer.from(JSON.stringify(envelope)));
    this.stop();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #look = (): void => {
    const { startedAt } = this.#options;
    const heard = { startedAt, headersSent: this.#response.headersSent, lastWriteAt: this.#lastAt };
    const { send, checkAgainIn } = nextKeepAlive(this.#options, heard, performance.now());
    if (send !== 'nothing') this.#say(send);
    this.#timer = checkAgainIn === undefined ? undefined : setTimeout(this.#look, checkAgainIn);
  };

  /** Nothing is added to what a client has not taken yet. */
  #say(what: 'head' | 'sign'): void {
    const response = this.#response;
    if (!response.acceptsData) return;
    const { format, interval } = this.#options;
    if (what === 'head') response.writeHead(200, earlyHeaders[format]);
    if (interval === 0) response.flushHead();
    else response.write(Buffer.from(format === 'events' ? this.#signOfStream() : '\n'));
    this.touch();
  }

  /** In the words of its API, as many clients hear no comments, and its place in a comment, as no API has an event for that. */
  #signOfStream(): string {
    const words = this.comment();
    const sign = this.#options.formatter.keepAlive();
    if (words === undefined && sign !== '') return sign;
    return formatComment(words ?? 'keep-alive') + sign;
  }
}
