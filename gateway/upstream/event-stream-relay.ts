import type { NativeStreamEnd } from '../api/native-stream-end.ts';
import type { ResponseRewriter, StreamError, StreamFormatter } from '../api/response-format.ts';
import type { Dialect } from '../api/route-table.ts';
import { endMarker, hasEnded, hasFailed, normalizeErrorEvents } from '../api/stream-end.ts';
import { stripComments } from '../api/strip-comments.ts';
import type { ClientResponse } from '../http/client-response.ts';
import type { KeepAlive } from './keep-alive.ts';
import type { Relay } from './relay.ts';
import type { ResponseTail } from './response-tail.ts';

const EVENT_END = '\n\n';
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
  #held: Buffer | undefined;

  constructor(parts: EventStreamRelayOptions) {
    this.#parts = parts;
    this.#seam = parts.seam;
  }

  /** Another engine goes on from here; its events pass another seam. What is held of half an event is said again. */
  resume(seam: Seam | undefined): void {
    this.#held = undefined;
    this.#seam = seam;
  }

  write(chunk: Buffer): boolean {
    const bytes = this.#held === undefined ? chunk : Buffer.concat([this.#held, chunk]);
    const lastEnd = bytes.lastIndexOf(EVENT_END);
    const whole = lastEnd === -1 ? 0 : lastEnd + EVENT_END.length;
    this.#held = whole === bytes.length ? undefined : bytes.subarray(whole);
    return whole === 0 || this.#pass(bytes.subarray(0, whole));
  }

  /**
   * False for a backend that closes without its end mark: it has not finished, whatever the connection says. `inOrder`: it
   * closed the answer itself, and was not cut off.
   */
  end(inOrder = true): boolean {
    if (this.#held !== undefined) this.#passLastEvent(this.#held);
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
