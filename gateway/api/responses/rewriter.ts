import { randomBytes } from 'node:crypto';
import type { StreamError } from '../../upstream/relay.ts';
import type { ResponseRewriter } from '../response-rewriter.ts';
import type { StreamFormatter } from '../stream-formatter.ts';
import { failureEvents, keepAliveEvents } from './keep-alive-events.ts';
import type { ResponseEvent } from './response-event.ts';
import { completeResponse, type ResponseContext } from './response-object.ts';
import { addOwnEvents, completeEvent, initialStreamState, type ResponseStreamState } from './stream-state.ts';

/**
 * Gives the answer to one Responses request what OpenAI's own clients need and llama-server leaves out, and says what is
 * to be said beside it: all events are numbered by one.
 */
export class ResponsesApiRewriter implements ResponseRewriter, StreamFormatter {
  readonly #known: ResponseContext;
  readonly #newId: () => string;
  #state: ResponseStreamState;

  /** `newId` names a response that is announced before the engine has named it. */
  constructor(known: ResponseContext, newId = randomId) {
    this.#known = known;
    this.#newId = newId;
    this.#state = initialStreamState(known);
  }

  rewriteEvents(events: Buffer): Buffer {
    const mended = events
      .toString()
      .split('\n\n')
      .flatMap((block) => this.#mendBlock(block));
    return Buffer.from(mended.join('\n\n'));
  }

  keepAlive(): string {
    return this.#say(keepAliveEvents(this.#state, this.#newId));
  }

  error(broken: StreamError): string {
    return this.#say(failureEvents(this.#state, broken, this.#newId));
  }

  #say(own: readonly ResponseEvent[]): string {
    const { state, events } = addOwnEvents(this.#state, own);
    const announced = own.find(({ type }) => type === 'response.created')?.response;
    this.#state = announced ? { ...state, response: announced } : state;
    return events.map((event) => `${blockOf(event)}\n\n`).join('');
  }

  rewriteBody(body: Buffer): Buffer {
    const response = parseObject(body.toString());
    return response ? Buffer.from(JSON.stringify(completeResponse(this.#known, response))) : body;
  }

  /** Comments, errors and the rest after the last event are not events of this API and pass as they are. */
  #mendBlock(block: string): string | readonly string[] {
    const data = /^event: \S+\ndata: (.*)$/s.exec(block)?.[1];
    const event = data === undefined ? undefined : parseObject(data);
    if (typeof event?.type !== 'string') return block;
    const { state, events } = completeEvent(this.#state, event as ResponseEvent);
    this.#state = state;
    return events.map(blockOf);
  }
}

const randomId = () => `resp_${randomBytes(24).toString('hex')}`;

const blockOf = (event: ResponseEvent) => `event: ${event.type}\ndata: ${JSON.stringify(event)}`;

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
