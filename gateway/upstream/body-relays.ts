import { EVENT_END, EventSplitter, findEventEnd, getEventData } from '../../sse/sse.ts';
import type { Aggregator } from '../api/aggregation.ts';
import { parseBackendError } from '../api/backend-error.ts';
import type { ResponseRewriter } from '../api/response-format.ts';
import type { Dialect } from '../api/route-table.ts';
import { readErrorEvent } from '../api/stream-markers.ts';
import type { BackendError } from '../errors/api-error.ts';
import type { ClientResponse } from '../http/client-response.ts';
import type { EventObserver } from './event-stream-relay.ts';
import { type Failure, ResponseTooLarge } from './failure.ts';
import type { Relay, ResponseTail } from './relay.ts';

/** The largest response that is rewritten, bytes. */
const MAX_REWRITTEN = 64 * 1024 ** 2;

/** Holds a response that is not a stream until it is complete, and passes it rewritten. */
export class RewritingRelay implements Relay {
  readonly #response: ClientResponse;
  readonly #tail: ResponseTail;
  readonly #rewriter: ResponseRewriter;
  readonly #writeHead: (contentLength: number) => void;
  readonly #held: Buffer[] = [];
  #heldBytes = 0;

  constructor(
    response: ClientResponse,
    tail: ResponseTail,
    rewriter: ResponseRewriter,
    writeHead: (contentLength: number) => void,
  ) {
    this.#response = response;
    this.#tail = tail;
    this.#rewriter = rewriter;
    this.#writeHead = writeHead;
  }

  get hasStarted(): boolean {
    return this.#response.raw.writableEnded;
  }

  /** Throws ResponseTooLarge, which ends the exchange. */
  write(chunk: Buffer): boolean {
    this.#heldBytes += chunk.length;
    if (this.#heldBytes > MAX_REWRITTEN)
      throw new ResponseTooLarge(`a response of more than ${MAX_REWRITTEN} bytes`);
    this.#held.push(chunk);
    return true;
  }

  end(): boolean {
    const body = this.#rewriter.rewriteBody(Buffer.concat(this.#held));
    this.#writeHead(body.length);
    if (body.length > 0) this.#tail.add(body);
    this.#response.end(body);
    return true;
  }

  fail(): void {
    this.#response.destroy();
  }
}

/** The largest stream, bytes. The response made of it is far smaller, unless it has log-probabilities. */
const MAX_AGGREGATED = 64 * 1024 ** 2;

/** How it ended. Unless it is complete, the client has received nothing, so an error status is still possible. */
export type AggregateResult =
  | { readonly outcome: 'complete' }
  | { readonly outcome: 'declined'; readonly error: BackendError }
  | { readonly outcome: 'failed'; readonly failure: Failure; readonly relay: undefined };

export interface AggregatingRelayOptions {
  readonly response: ClientResponse;
  readonly dialect: Dialect;
  /** Where an earlier engine began the response, it holds what that has sent. */
  readonly aggregator: Aggregator;
  /** Applied to the events first. */
  readonly resumeRewriter: Pick<ResponseRewriter, 'rewriteEvents'> | undefined;
  readonly observe: EventObserver;
  readonly rewriter: ResponseRewriter | undefined;
  readonly tail: ResponseTail;
  /** Writes the head of the response, unless one was sent early. */
  readonly writeHead: (contentLength: number) => void;
}

/**
 * Builds a JSON response from a stream, and writes it when it is complete. The backend is asked for a stream because it
 * notices at once when the client of a stream disconnects, and because a stream shows how far it has come.
 */
export class AggregatingRelay {
  readonly #options: AggregatingRelayOptions;
  readonly #splitter = new EventSplitter();
  #bytes = 0;
  #hasEndMarker = false;
  #error: BackendError | undefined;

  constructor(options: AggregatingRelayOptions) {
    this.#options = options;
  }

  /** Throws what ends the exchange: ResponseTooLarge, or the parser's error if the backend does not send JSON. */
  write(chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes > MAX_AGGREGATED)
      throw new ResponseTooLarge(`a stream of more than ${MAX_AGGREGATED} bytes`);
    const events = this.#splitter.push(chunk);
    if (events) this.#addAll(events);
  }

  end(): AggregateResult {
    const { rest } = this.#splitter;
    if (rest) this.#addAll(rest);
    if (this.#error) return { outcome: 'declined', error: this.#error };
    const { dialect, aggregator } = this.#options;
    const result = this.#hasEndMarker || dialect !== 'openai' ? aggregator.result() : undefined;
    if (result === undefined) {
      const cause = new Error('the backend closed the connection before the response was complete');
      return { outcome: 'failed', failure: { kind: 'broke-off', cause }, relay: undefined };
    }
    this.#send(Buffer.from(JSON.stringify(result)));
    return { outcome: 'complete' };
  }

  #addAll(received: Buffer): void {
    const { resumeRewriter, tail, observe, aggregator } = this.#options;
    const events = resumeRewriter ? resumeRewriter.rewriteEvents(received) : received;
    tail.keep(events);
    tail.generated += observe(events);
    let at = 0;
    while (at < events.length) {
      const textEnd = aggregator.addText(events, at);
      at = textEnd === -1 ? this.#addAt(events, at) : textEnd;
    }
  }

  /** Returns where the event ends. */
  #addAt(events: Buffer, at: number): number {
    const end = findEventEnd(events, at);
    this.#add(end === -1 ? events.toString('utf8', at) : events.toString('utf8', at, end - EVENT_END.length));
    return end === -1 ? events.length : end;
  }

  #add(event: string): void {
    const error = readErrorEvent(event);
    if (error !== undefined)
      this.#error ??= parseBackendError(500, error, { hasOutput: this.#options.tail.generated > 0 });
    const data = error === undefined ? getEventData(event) : undefined;
    if (data === '[DONE]') this.#hasEndMarker = true;
    else if (data !== undefined) this.#options.aggregator.add(JSON.parse(data));
  }

  #send(result: Buffer): void {
    const { response, rewriter, tail, writeHead } = this.#options;
    const body = rewriter?.rewriteBody(result) ?? result;
    writeHead(body.length);
    tail.countSent(body.length);
    response.end(body);
  }
}
