import { mapEventData, parseEvents, type StreamEvent } from '../../sse/sse.ts';
import { combineTimings, combineUsage } from './combine-usage.ts';
import type { ResumePoint, ResumeRewriter } from './resume-rewriter.ts';

/**
 * Of Responses. Their closing events repeat the whole text, which llama-server tells with the assistant's beginning. The
 * names of the response and of its one message stay the first engine's.
 */
export class ResponsesResumeRewriter implements ResumeRewriter {
  readonly #facts: ResumePoint;
  readonly #told: ReadonlySet<string>;
  readonly #names: { readonly response: unknown; readonly item: unknown };

  constructor(facts: ResumePoint) {
    const events = parseEvents(facts.opening + facts.closing) as readonly Told[];
    this.#facts = facts;
    this.#told = new Set(events.filter(({ type }) => type !== textDelta).map(placeOf));
    this.#names = {
      response: events.find(({ response }) => response?.id !== undefined)?.response?.id,
      item: events.find(({ item }) => item?.id !== undefined)?.item?.id,
    };
  }

  rewriteEvents(events: Buffer): Buffer {
    return mapEventData(events, (event) => this.#rewrite(event));
  }

  #rewrite(event: StreamEvent): StreamEvent | undefined {
    const { type, text, part, item_id, item, response, timings } = event as Told;
    const { finished, tokenShift } = this.#facts;
    if (this.#told.has(placeOf(event)) || (finished !== 'no' && type === textDelta)) return undefined;
    return {
      ...event,
      ...(typeof text === 'string' ? { text: this.#wholeText(text) } : {}),
      ...(part === undefined ? {} : { part: this.#whole(part) }),
      ...(ofMessage.has(type) ? { item_id: this.#names.item ?? item_id } : {}),
      ...(item === undefined ? {} : { item: this.#named(item) }),
      ...(response === undefined ? {} : { response: this.#joined(response) }),
      ...(timings === undefined ? {} : { timings: combineTimings(timings, tokenShift) }),
    };
  }

  #joined(response: ToldResponse): ToldResponse {
    const { output, usage } = response;
    return {
      ...response,
      id: this.#names.response ?? response.id,
      ...(output ? { output: output.map((item) => this.#named(item)) } : {}),
      ...(usage ? { usage: combineUsage(usage, this.#facts.tokenShift) } : {}),
    };
  }

  #named(item: StreamEvent): StreamEvent {
    if (item.type !== 'message') return item;
    const { id, content } = item as ToldItem;
    return {
      ...item,
      id: this.#names.item ?? id,
      ...(content ? { content: content.map((part) => this.#whole(part)) } : {}),
    };
  }

  #whole(part: StreamEvent): StreamEvent {
    return typeof part.text === 'string' ? { ...part, text: this.#wholeText(part.text) } : part;
  }

  #wholeText(told: string): string {
    const { finished, content, closingRepeatsText } = this.#facts;
    if (finished !== 'no') return content;
    return closingRepeatsText ? told : content + told;
  }
}

const textDelta = 'response.output_text.delta';

/** The events that name the one message. */
const ofMessage: ReadonlySet<unknown> = new Set([
  textDelta,
  'response.output_text.done',
  'response.content_part.added',
  'response.content_part.done',
]);

/** Each kind of item has a beginning and an end of its own: a call may follow the message. */
const placeOf = ({ type, item }: Told) => `${type} ${item?.type}`;

interface ToldResponse extends StreamEvent {
  readonly id?: unknown;
  readonly output?: readonly StreamEvent[];
  readonly usage?: StreamEvent;
}

interface ToldItem extends StreamEvent {
  readonly id?: unknown;
  readonly content?: readonly StreamEvent[];
}

interface Told {
  readonly type?: unknown;
  readonly text?: unknown;
  readonly part?: StreamEvent;
  readonly item_id?: unknown;
  readonly item?: StreamEvent;
  readonly response?: ToldResponse;
  readonly timings?: StreamEvent;
}
