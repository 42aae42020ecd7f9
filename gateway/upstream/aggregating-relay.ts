import { EventSplitter, getEventData, splitEvents } from '../../sse/sse.ts';
import type { Aggregator } from '../api/aggregation.ts';
import { parseBackendError } from '../api/backend-error.ts';
import type { ResponseRewriter } from '../api/response-format.ts';
import type { Dialect } from '../api/route-table.ts';
import { readErrorEvent } from '../api/stream-markers.ts';
import type { BackendError } from '../errors/api-error.ts';
import type { ClientResponse } from '../http/client-response.ts';
import type { EventObserver } from './event-stream-relay.ts';
import { type Failure, ResponseTooLarge } from './failure.ts';
import type { ResponseTail } from './response-tail.ts';

/** Of a stream; the answer made of it is far smaller, unless it tells log-probabilities. */
const MOST_BYTES = 64 * 1024 ** 2;

/** How an assembled answer ended. All but the first leave the client without a byte, so a status is still possible. */
export type AggregateResult =
  | { readonly outcome: 'complete' }
  | { readonly outcome: 'declined'; readonly error: BackendError }
  | { readonly outcome: 'failed'; readonly failure: Failure; readonly relay: undefined };

export interface AggregatingRelayOptions {
  readonly response: ClientResponse;
  readonly dialect: Dialect;
  /** Holds what an earlier engine has told, where this one goes on. */
  readonly assembly: Aggregator;
  /** What its events pass first. */
  readonly seam: Pick<ResponseRewriter, 'rewriteEvents'> | undefined;
  readonly listen: EventObserver;
  readonly mender: ResponseRewriter | undefined;
  readonly ends: ResponseTail;
  /** Writes the head of an answer of so many bytes, unless one has gone out. */
  readonly begin: (contentLength: number) => void;
}

/**
 * Takes the stream that stands for an answer in one piece, and writes that when it is whole. The backend is asked for a
 * stream because it notices at once when the other side of a stream has gone, and because a stream tells how far it is.
 */
export class AggregatingRelay {
  readonly #parts: AggregatingRelayOptions;
  readonly #splitter = new EventSplitter();
  #bytes = 0;
  #isDone = false;
  #error: BackendError | undefined;

  constructor(parts: AggregatingRelayOptions) {
    this.#parts = parts;
  }

  /** Throws what ends the exchange: AnswerTooLarge, or the parser's error where the backend does not speak JSON. */
  write(chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes > MOST_BYTES) throw new ResponseTooLarge(`a stream of more than ${MOST_BYTES} bytes`);
    const events = this.#splitter.push(chunk);
    if (events) this.#read(events);
  }

  end(): AggregateResult {
    const { rest } = this.#splitter;
    if (rest) this.#read(rest);
    if (this.#error) return { outcome: 'declined', error: this.#error };
    const { dialect, assembly } = this.#parts;
    const answer = this.#isDone || dialect !== 'openai' ? assembly.result() : undefined;
    if (answer === undefined) {
      const cause = new Error('the backend stopped before the answer was complete');
      return { outcome: 'failed', failure: { kind: 'broke-off', cause }, relay: undefined };
    }
    this.#send(Buffer.from(JSON.stringify(answer)));
    return { outcome: 'complete' };
  }

  #read(told: Buffer): void {
    const { seam, ends, listen } = this.#parts;
    const events = seam ? seam.rewriteEvents(told) : told;
    ends.keep(events);
    ends.generated += listen(events);
    for (const event of splitEvents(events.toString())) this.#take(event);
  }

  #take(event: string): void {
    const error = readErrorEvent(event);
    if (error !== undefined)
      this.#error ??= parseBackendError(500, error, { hasOutput: this.#parts.ends.generated > 0 });
    const data = error === undefined ? getEventData(event) : undefined;
    if (data === '[DONE]') this.#isDone = true;
    else if (data !== undefined) this.#parts.assembly.add(JSON.parse(data));
  }

  #send(assembled: Buffer): void {
    const { response, mender, ends, begin } = this.#parts;
    const body = mender?.rewriteBody(assembled) ?? assembled;
    begin(body.length);
    ends.countSent(body.length);
    response.end(body);
  }
}
