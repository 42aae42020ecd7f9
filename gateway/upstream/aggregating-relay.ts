import type { Aggregator } from '../api/aggregation.ts';
import { type BackendError, parseBackendError } from '../api/backend-error.ts';
import type { ResponseRewriter } from '../api/response-format.ts';
import type { Dialect } from '../api/route-table.ts';
import { readErrorEvent } from '../api/stream-end.ts';
import type { ClientResponse } from '../http/client-response.ts';
import type { EventObserver } from './event-stream-relay.ts';
import { type Failure, ResponseTooLarge } from './failure.ts';
import type { ResponseTail } from './response-tail.ts';

const EVENT_END = '\n\n';
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
  #held: Buffer | undefined;
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
    const bytes = this.#held === undefined ? chunk : Buffer.concat([this.#held, chunk]);
    const lastEnd = bytes.lastIndexOf(EVENT_END);
    const whole = lastEnd === -1 ? 0 : lastEnd + EVENT_END.length;
    this.#held = whole === bytes.length ? undefined : bytes.subarray(whole);
    if (whole > 0) this.#read(bytes.subarray(0, whole));
  }

  end(): AggregateResult {
    if (this.#held !== undefined) this.#read(this.#held);
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
    for (const event of events.toString().split(EVENT_END)) this.#take(event);
  }

  #take(event: string): void {
    const error = readErrorEvent(event);
    if (error !== undefined)
      this.#error ??= parseBackendError(500, error, { hasOutput: this.#parts.ends.generated > 0 });
    const data = error === undefined ? dataOf(event) : undefined;
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

const mark = 'data: ';

/** The data of an event; undefined where it has none, such as a comment. */
function dataOf(event: string): string | undefined {
  if (event.startsWith(mark)) return event.slice(mark.length).trimEnd();
  const before = event.startsWith(':') ? -1 : event.indexOf(`\n${mark}`);
  return before === -1 ? undefined : event.slice(before + 1 + mark.length).trimEnd();
}
