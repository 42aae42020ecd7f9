import type { AnswerMender } from '../../upstream/answer-mender.ts';
import type { ResponseEvent } from './response-event.ts';
import { openResponseStream, type ResponseStreamState, stepResponseStream } from './step-response-stream.ts';
import { type KnownOfResponse, wholeResponse } from './whole-response.ts';

/** Gives the answer to one Responses request what OpenAI's own clients need and llama-server leaves out. */
export class ResponseMender implements AnswerMender {
  readonly #known: KnownOfResponse;
  #state: ResponseStreamState;

  constructor(known: KnownOfResponse) {
    this.#known = known;
    this.#state = openResponseStream(known);
  }

  events(events: Buffer): Buffer {
    const mended = events
      .toString()
      .split('\n\n')
      .map((block) => this.#mendBlock(block));
    return Buffer.from(mended.join('\n\n'));
  }

  whole(body: Buffer): Buffer {
    const response = parseObject(body.toString());
    return response ? Buffer.from(JSON.stringify(wholeResponse(this.#known, response))) : body;
  }

  /** Comments, errors and the rest after the last event are not events of this API and pass as they are. */
  #mendBlock(block: string): string {
    const data = /^event: \S+\ndata: (.*)$/s.exec(block)?.[1];
    const event = data === undefined ? undefined : parseObject(data);
    if (typeof event?.type !== 'string') return block;
    const { state, events } = stepResponseStream(this.#state, event as ResponseEvent);
    this.#state = state;
    return events.map((it) => `event: ${it.type}\ndata: ${JSON.stringify(it)}`).join('\n\n');
  }
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
