import { EventSplitter, mapEvents } from '../../sse/sse.ts';
import {
  normalizeErrorEvents,
  type ResponseRewriter,
  type StreamError,
  type StreamFormatter,
} from '../api/response-format.ts';
import type { Dialect } from '../api/route-table.ts';
import { areOrdinary, endMarker, hasEnded, hasFailed, type NativeStreamEnd } from '../api/stream-markers.ts';
import type { ClientResponse } from '../http/client-response.ts';
import type { KeepAlive } from './keep-alive.ts';
import type { Relay, ResponseTail } from './relay.ts';

const lineEnd = Buffer.from('\n');
const lastEvent = Buffer.from('\ndata: [DONE]\n\n');

/** Is called with all events of a stream before the rewriter of its API. Returns how many of them have generated text. */
export type EventObserver = (events: Buffer) => number;

type EventRewriter = Pick<ResponseRewriter, 'rewriteEvents'>;

export interface EventStreamRelayOptions {
  readonly response: ClientResponse;
  readonly dialect: Dialect;
  readonly formatter: StreamFormatter;
  readonly tail: ResponseTail;
  readonly rewriter: ResponseRewriter | undefined;
  readonly keepAlive: KeepAlive | undefined;
  readonly observe: EventObserver;
  /** Native streams only. */
  readonly nativeEnd: NativeStreamEnd | undefined;
  /** Applied to the events first. */
  readonly resumeRewriter: EventRewriter | undefined;
}

/**
 * Passes a stream of events as it arrives, but only complete events: whenever the backend dies, an error event or the events
 * of another engine can follow. llama-server sends one event at a time, so hardly anything is ever held.
 */
export class EventStreamRelay implements Relay {
  readonly hasStarted = true;
  readonly #options: EventStreamRelayOptions;
  readonly #splitter = new EventSplitter();
  #resumeRewriter: EventRewriter | undefined;

  constructor(options: EventStreamRelayOptions) {
    this.#options = options;
    this.#resumeRewriter = options.resumeRewriter;
  }

  /** Another engine continues the stream from here, with another rewriter. It sends a half event again. */
  resume(resumeRewriter: EventRewriter | undefined): void {
    this.#splitter.clear();
    this.#resumeRewriter = resumeRewriter;
  }

  write(chunk: Buffer): boolean {
    const events = this.#splitter.push(chunk);
    return events === undefined || this.#pass(events);
  }

  /**
   * Returns false if the end marker is missing: then the stream is not complete, however the connection was closed.
   * `closedInOrder`: the backend closed the response itself; the connection was not lost.
   */
  end(closedInOrder = true): boolean {
    const { rest } = this.#splitter;
    if (rest) this.#passLastEvent(rest);
    const isComplete = this.#isComplete(closedInOrder);
    if (isComplete) this.#options.response.end();
    return isComplete;
  }

  #isComplete(closedInOrder: boolean): boolean {
    const { dialect, tail, nativeEnd } = this.#options;
    // Nearly every stream of chats and completions ends like this.
    if (dialect === 'openai' && nativeEnd === undefined && tail.endsWith(lastEvent)) return true;
    const text = tail.fullText();
    return nativeEnd === undefined
      ? hasEnded(dialect, text)
      : nativeEnd.isComplete(closedInOrder) || hasFailed(text);
  }

  /** The backend died when only the end marker was missing: writes it. */
  close(): void {
    this.#write(Buffer.from(endMarker(this.#options.dialect)));
    this.#options.response.end();
  }

  fail(error: StreamError): void {
    const { formatter, tail, response } = this.#options;
    const event = Buffer.from(formatter.error(error));
    tail.add(event);
    response.end(event);
  }

  /** The rest is half an event and is dropped, unless it is an end marker that lacks only its empty line. */
  #passLastEvent(rest: Buffer): void {
    const text = rest.toString('latin1');
    if (text.endsWith('\n') && hasEnded(this.#options.dialect, text))
      this.#pass(Buffer.concat([rest, lineEnd]));
  }

  #pass(received: Buffer): boolean {
    const isOrdinary = areOrdinary(received);
    const stripped = isOrdinary ? received : stripComments(received);
    const events =
      this.#resumeRewriter && stripped.length > 0 ? this.#resumeRewriter.rewriteEvents(stripped) : stripped;
    if (events.length === 0) return true;
    const { formatter, tail, rewriter, observe, nativeEnd } = this.#options;
    tail.generated += observe(events);
    nativeEnd?.add(events);
    const rewritten = rewriter ? rewriter.rewriteEvents(events) : events;
    if (rewritten.length === 0) return true;
    if (isOrdinary && rewritten === received) return this.#write(received);
    return this.#write(normalizeErrorEvents(formatter, rewritten, tail.generated > 0));
  }

  #write(bytes: Buffer): boolean {
    const { tail, keepAlive, response } = this.#options;
    tail.add(bytes);
    keepAlive?.touch();
    return response.write(bytes);
  }
}

const COLON = 0x3a;
/** The first event of llama-server's stream for several prompts. Clients read it as a chunk, and fail. */
const emptyEvent = Buffer.from('data: null\n\n');

/** Removes llama-server's own keep-alive comments, which come at its pace, and empty events. */
export function stripComments(events: Buffer): Buffer {
  if (!hasComments(events)) return events;
  return mapEvents(events, (event) => (event.startsWith(':') || event === 'data: null' ? undefined : event));
}

/** They come alone or, rarely, with others. */
function hasComments(events: Buffer): boolean {
  return (
    events[0] === COLON ||
    events.includes('\n\n:') ||
    events.subarray(0, emptyEvent.length).equals(emptyEvent)
  );
}
