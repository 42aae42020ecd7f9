import { EventSplitter, mapEvents } from '../../sse/sse.ts';
import {
  normalizeErrorEvents,
  type ResponseRewriter,
  type StreamError,
  type StreamFormatter,
} from '../api/response-format.ts';
import type { Dialect } from '../api/route-table.ts';
import { endMarker, hasEnded, hasFailed, type NativeStreamEnd } from '../api/stream-markers.ts';
import type { ClientResponse } from '../http/client-response.ts';
import type { KeepAlive } from './keep-alive.ts';
import type { Relay } from './relay.ts';
import type { ResponseTail } from './response-tail.ts';

const lineEnd = Buffer.from('\n');

/** Sees every event as the backend has sent it, and tells how many of them bring generated text. */
export type EventObserver = (events: Buffer) => number;

export interface EventStreamRelayOptions {
  readonly response: ClientResponse;
  readonly dialect: Dialect;
  readonly voice: StreamFormatter;
  readonly ends: ResponseTail;
  readonly mender: ResponseRewriter | undefined;
  readonly pacemaker: KeepAlive | undefined;
  readonly listen: EventObserver;
  /** How a native stream shows that it is whole. */
  readonly finals: NativeStreamEnd | undefined;
  /** What its events pass first. */
  readonly seam: Seam | undefined;
}

type Seam = Pick<ResponseRewriter, 'rewriteEvents'>;

/**
 * Passes a stream of events as it comes, but whole events only: what a client has seen can always be followed by an
 * error event, or by another engine's events, however the backend ends. llama-server sends an event at a time, so hardly
 * anything is ever held.
 */
export class EventStreamRelay implements Relay {
  readonly hasStarted = true;
  readonly #parts: EventStreamRelayOptions;
  #seam: Seam | undefined;
  readonly #splitter = new EventSplitter();

  constructor(parts: EventStreamRelayOptions) {
    this.#parts = parts;
    this.#seam = parts.seam;
  }

  /** Another engine goes on from here; its events pass another seam. What is held of half an event is said again. */
  resume(seam: Seam | undefined): void {
    this.#splitter.clear();
    this.#seam = seam;
  }

  write(chunk: Buffer): boolean {
    const events = this.#splitter.push(chunk);
    return events === undefined || this.#pass(events);
  }

  /**
   * False for a backend that closes without its end mark: it has not finished, whatever the connection says. `inOrder`: it
   * closed the answer itself, and was not cut off.
   */
  end(inOrder = true): boolean {
    const { rest } = this.#splitter;
    if (rest) this.#passLastEvent(rest);
    const isWhole = this.#isWhole(inOrder);
    if (isWhole) this.#parts.response.end();
    return isWhole;
  }

  #isWhole(inOrder: boolean): boolean {
    const { dialect, ends, finals } = this.#parts;
    const tail = ends.fullText();
    return finals === undefined ? hasEnded(dialect, tail) : finals.isComplete(inOrder) || hasFailed(tail);
  }

  /** The backend died when all had been said: what lacks is ours to say. */
  close(): void {
    this.#write(Buffer.from(endMarker(this.#parts.dialect)));
    this.#parts.response.end();
  }

  fail(broken: StreamError): void {
    const { voice, ends, response } = this.#parts;
    const event = Buffer.from(voice.error(broken));
    ends.add(event);
    response.end(event);
  }

  /** What is left over is half an event, and dropped, unless it is an end mark that only lacks its empty line. */
  #passLastEvent(held: Buffer): void {
    const text = held.toString('latin1');
    if (text.endsWith('\n') && hasEnded(this.#parts.dialect, text))
      this.#pass(Buffer.concat([held, lineEnd]));
  }

  #pass(whole: Buffer): boolean {
    const told = stripComments(whole);
    const events = this.#seam && told.length > 0 ? this.#seam.rewriteEvents(told) : told;
    if (events.length === 0) return true;
    const { voice, ends, mender, listen } = this.#parts;
    ends.generated += listen(events);
    this.#parts.finals?.add(events);
    const mended = mender ? mender.rewriteEvents(events) : events;
    return mended.length === 0 || this.#write(normalizeErrorEvents(voice, mended, ends.generated > 0));
  }

  #write(bytes: Buffer): boolean {
    const { ends, pacemaker, response } = this.#parts;
    ends.add(bytes);
    pacemaker?.touch();
    return response.write(bytes);
  }
}

const COLON = 0x3a;
/** With several prompts llama-server's stream begins with it. Clients read it as a chunk, and fail. */
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
