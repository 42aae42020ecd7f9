import type { ServerResponse } from 'node:http';
import type { Dialect } from '../routes/api-routes.ts';
import type { AnswerEnds } from './answer-ends.ts';
import type { AnswerMender } from './answer-mender.ts';
import { generatedEvents } from './generated-events.ts';
import type { Pacemaker } from './pacemaker.ts';
import type { BrokenAnswer, Relay } from './relay.ts';
import { hasEnded, mendErrorEvents, streamErrorEvent } from './stream-dialect.ts';
import { withoutFillers } from './without-fillers.ts';

const EVENT_END = '\n\n';
const lineEnd = Buffer.from('\n');

const stoppedShort: BrokenAnswer = {
  status: 502,
  type: 'server_error',
  code: 'bad_gateway',
  message: 'The engine stopped before the answer was complete.',
};

/**
 * Passes a stream of events as it comes, but whole events only: what a client has seen can always be followed by an
 * error event, however the backend ends. llama-server sends an event at a time, so hardly anything is ever held.
 */
export class EventStreamRelay implements Relay {
  readonly #response: ServerResponse;
  readonly #dialect: Dialect;
  readonly #ends: AnswerEnds;
  readonly #mender: AnswerMender | undefined;
  readonly #pacemaker: Pacemaker | undefined;
  #held: Buffer | undefined;

  constructor(
    response: ServerResponse,
    dialect: Dialect,
    ends: AnswerEnds,
    mender: AnswerMender | undefined,
    pacemaker: Pacemaker | undefined,
  ) {
    this.#response = response;
    this.#dialect = dialect;
    this.#ends = ends;
    this.#mender = mender;
    this.#pacemaker = pacemaker;
  }

  write(chunk: Buffer): boolean {
    const bytes = this.#held === undefined ? chunk : Buffer.concat([this.#held, chunk]);
    const lastEnd = bytes.lastIndexOf(EVENT_END);
    const whole = lastEnd === -1 ? 0 : lastEnd + EVENT_END.length;
    this.#held = whole === bytes.length ? undefined : bytes.subarray(whole);
    const events = whole === 0 ? bytes.subarray(0, 0) : withoutFillers(bytes.subarray(0, whole));
    return events.length === 0 || this.#pass(events);
  }

  /** A backend that closes without its end mark has not finished, whatever the connection says. */
  end(): void {
    if (this.#held !== undefined) this.#passLastEvent(this.#held);
    if (hasEnded(this.#dialect, this.#ends.uncutText())) this.#response.end();
    else this.breakOff(stoppedShort);
  }

  breakOff(broken: BrokenAnswer): void {
    const event = Buffer.from(streamErrorEvent(this.#dialect, broken, this.#ends.text()));
    this.#ends.add(event);
    this.#response.end(event);
  }

  /** What is left over is half an event, and dropped, unless it is an end mark that only lacks its empty line. */
  #passLastEvent(held: Buffer): void {
    const text = held.toString('latin1');
    if (text.endsWith('\n') && hasEnded(this.#dialect, text)) this.#pass(Buffer.concat([held, lineEnd]));
  }

  #pass(events: Buffer): boolean {
    const mended = this.#mender ? this.#mender.events(events) : events;
    const bytes = mendErrorEvents(this.#dialect, mended, () => this.#ends.text());
    this.#ends.add(bytes);
    this.#ends.generated += generatedEvents(this.#dialect, bytes);
    this.#pacemaker?.spoke();
    return this.#response.write(bytes);
  }
}
