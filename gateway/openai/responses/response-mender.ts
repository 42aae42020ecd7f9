import { randomBytes } from 'node:crypto';
import type { AnswerMender } from '../../upstream/answer-mender.ts';
import type { BrokenAnswer } from '../../upstream/relay.ts';
import type { StreamVoice } from '../../upstream/stream-voice.ts';
import type { ResponseEvent } from './response-event.ts';
import { endOfFailure, signOfLife } from './response-signs.ts';
import {
  addToResponseStream,
  openResponseStream,
  type ResponseStreamState,
  stepResponseStream,
} from './step-response-stream.ts';
import { type KnownOfResponse, wholeResponse } from './whole-response.ts';

/**
 * Gives the answer to one Responses request what OpenAI's own clients need and llama-server leaves out, and says what is
 * to be said beside it: all events are numbered by one.
 */
export class ResponseMender implements AnswerMender, StreamVoice {
  readonly #known: KnownOfResponse;
  readonly #newId: () => string;
  #state: ResponseStreamState;

  /** `newId` names a response that is announced before the engine has named it. */
  constructor(known: KnownOfResponse, newId = randomId) {
    this.#known = known;
    this.#newId = newId;
    this.#state = openResponseStream(known);
  }

  events(events: Buffer): Buffer {
    const mended = events
      .toString()
      .split('\n\n')
      .flatMap((block) => this.#mendBlock(block));
    return Buffer.from(mended.join('\n\n'));
  }

  sign(): string {
    return this.#say(signOfLife(this.#state, this.#newId));
  }

  failure(broken: BrokenAnswer): string {
    return this.#say(endOfFailure(this.#state, broken, this.#newId));
  }

  #say(own: readonly ResponseEvent[]): string {
    const { state, events } = addToResponseStream(this.#state, own);
    const announced = own.find(({ type }) => type === 'response.created')?.response;
    this.#state = announced ? { ...state, response: announced } : state;
    return events.map((event) => `${blockOf(event)}\n\n`).join('');
  }

  whole(body: Buffer): Buffer {
    const response = parseObject(body.toString());
    return response ? Buffer.from(JSON.stringify(wholeResponse(this.#known, response))) : body;
  }

  /** Comments, errors and the rest after the last event are not events of this API and pass as they are. */
  #mendBlock(block: string): string | readonly string[] {
    const data = /^event: \S+\ndata: (.*)$/s.exec(block)?.[1];
    const event = data === undefined ? undefined : parseObject(data);
    if (typeof event?.type !== 'string') return block;
    const { state, events } = stepResponseStream(this.#state, event as ResponseEvent);
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
