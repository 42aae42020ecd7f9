import { mapEventData, parseEvents, type StreamEvent } from '../../sse/sse.ts';
import type { CompletionShape } from '../api/route-table.ts';
import { combineTimings, combineUsage, type ResumePoint, type ResumeRewriter } from './resume-point.ts';

export function createResumeRewriter(shape: CompletionShape, point: ResumePoint): ResumeRewriter {
  switch (shape) {
    case 'chat':
    case 'completion':
      return new ChatResumeRewriter(point);
    case 'message':
      return new MessageResumeRewriter(point);
    case 'response':
      return new ResponsesResumeRewriter(point);
  }
}

interface Choice {
  readonly delta?: { readonly role?: unknown };
  readonly finish_reason?: unknown;
}

/** For chats and completions. All chunks have the id and time of the response, which are those of the first engine. */
class ChatResumeRewriter implements ResumeRewriter {
  readonly #point: ResumePoint;
  readonly #identity: StreamEvent;
  readonly #hasRole: boolean;
  readonly #hasFinish: boolean;

  constructor(point: ResumePoint) {
    const opening = parseEvents(point.opening);
    const { id, created, model, system_fingerprint } = opening[0] ?? {};
    const identity = { id, created, model, system_fingerprint };
    this.#point = point;
    this.#identity = Object.fromEntries(Object.entries(identity).filter(([, value]) => value !== undefined));
    this.#hasRole = opening.some(hasRole);
    this.#hasFinish = parseEvents(point.closing).some((event) => getChoice(event)?.finish_reason);
  }

  rewriteEvents(events: Buffer): Buffer {
    return mapEventData(events, (event) => this.#rewrite(event));
  }

  #rewrite(event: StreamEvent): StreamEvent | undefined {
    const choice = getChoice(event);
    if (choice && this.#isDuplicate(event, choice)) return undefined;
    const { finished, tokenShift } = this.#point;
    const { usage, timings } = event as { usage?: StreamEvent; timings?: StreamEvent };
    return {
      ...event,
      ...this.#identity,
      ...(choice && finished === 'limit-reached'
        ? { choices: [{ ...choice, finish_reason: 'length' }] }
        : {}),
      ...(usage ? { usage: combineUsage(usage, tokenShift) } : {}),
      ...(timings ? { timings: combineTimings(timings, tokenShift) } : {}),
    };
  }

  #isDuplicate(event: StreamEvent, choice: Choice): boolean {
    if (hasRole(event)) return this.#hasRole;
    return this.#hasFinish || (this.#point.finished !== 'no' && !choice.finish_reason);
  }
}

function getChoice({ choices }: StreamEvent): Choice | undefined {
  return (choices as readonly Choice[] | undefined)?.[0];
}

/** Whether it is the event that opens a chat, which has the role alone. */
const hasRole = (event: StreamEvent) => getChoice(event)?.delta?.role !== undefined;

interface MessageEvent {
  readonly index?: unknown;
  readonly type?: unknown;
  readonly delta?: object;
  readonly usage?: { readonly output_tokens?: number };
}

const blockDelta = 'content_block_delta';

/** For Anthropic's messages. Only the opening events have their id and the tokens of the input. */
class MessageResumeRewriter implements ResumeRewriter {
  readonly #point: ResumePoint;
  readonly #sent: ReadonlySet<string>;

  constructor(point: ResumePoint) {
    const sent = parseEvents(point.opening + point.closing) as readonly MessageEvent[];
    this.#point = point;
    this.#sent = new Set(sent.filter(({ type }) => type !== blockDelta).map(getBlockEvent));
  }

  rewriteEvents(events: Buffer): Buffer {
    return mapEventData(events, (event) => this.#rewrite(event));
  }

  #rewrite(event: StreamEvent): StreamEvent | undefined {
    const { finished, tokenShift } = this.#point;
    const { type, delta, usage } = event as MessageEvent;
    if (this.#sent.has(getBlockEvent(event)) || (finished !== 'no' && type === blockDelta)) return undefined;
    if (type !== 'message_delta') return event;
    const output = (usage?.output_tokens ?? 0) + tokenShift.generatedBefore - tokenShift.discarded;
    return {
      ...event,
      ...(finished === 'limit-reached'
        ? { delta: { ...delta, stop_reason: 'max_tokens', stop_sequence: null } }
        : {}),
      usage: { ...usage, output_tokens: output },
    };
  }
}

/** Each block begins and ends with events of its own: a call may follow the text. */
const getBlockEvent = ({ type, index }: MessageEvent) => `${type} ${index}`;

interface ResponseItem extends StreamEvent {
  readonly id?: unknown;
  readonly content?: readonly StreamEvent[];
}

interface ResponseObject extends StreamEvent {
  readonly id?: unknown;
  readonly output?: readonly StreamEvent[];
  readonly usage?: StreamEvent;
}

interface ResponsesEvent {
  readonly type?: unknown;
  readonly text?: unknown;
  readonly part?: StreamEvent;
  readonly item_id?: unknown;
  readonly item?: StreamEvent;
  readonly response?: ResponseObject;
  readonly timings?: StreamEvent;
}

const textDelta = 'response.output_text.delta';

/** The events that have the id of the message. */
const messageEvents: ReadonlySet<unknown> = new Set([
  textDelta,
  'response.output_text.done',
  'response.content_part.added',
  'response.content_part.done',
]);

/**
 * For Responses. Their closing events repeat the complete text, in llama-server with the assistant's prefill. The ids of the
 * response and of its one message are those of the first engine.
 */
class ResponsesResumeRewriter implements ResumeRewriter {
  readonly #point: ResumePoint;
  readonly #sent: ReadonlySet<string>;
  readonly #ids: { readonly response: unknown; readonly item: unknown };

  constructor(point: ResumePoint) {
    const events = parseEvents(point.opening + point.closing) as readonly ResponsesEvent[];
    this.#point = point;
    this.#sent = new Set(events.filter(({ type }) => type !== textDelta).map(getItemEvent));
    this.#ids = {
      response: events.find(({ response }) => response?.id !== undefined)?.response?.id,
      item: events.find(({ item }) => item?.id !== undefined)?.item?.id,
    };
  }

  rewriteEvents(events: Buffer): Buffer {
    return mapEventData(events, (event) => this.#rewrite(event));
  }

  #rewrite(event: StreamEvent): StreamEvent | undefined {
    const { type, text, part, item_id, item, response, timings } = event as ResponsesEvent;
    const { finished, tokenShift } = this.#point;
    if (this.#sent.has(getItemEvent(event)) || (finished !== 'no' && type === textDelta)) return undefined;
    return {
      ...event,
      ...(typeof text === 'string' ? { text: this.#completeText(text) } : {}),
      ...(part === undefined ? {} : { part: this.#completePart(part) }),
      ...(messageEvents.has(type) ? { item_id: this.#ids.item ?? item_id } : {}),
      ...(item === undefined ? {} : { item: this.#completeItem(item) }),
      ...(response === undefined ? {} : { response: this.#completeResponse(response) }),
      ...(timings === undefined ? {} : { timings: combineTimings(timings, tokenShift) }),
    };
  }

  #completeResponse(response: ResponseObject): ResponseObject {
    const { output, usage } = response;
    return {
      ...response,
      id: this.#ids.response ?? response.id,
      ...(output ? { output: output.map((item) => this.#completeItem(item)) } : {}),
      ...(usage ? { usage: combineUsage(usage, this.#point.tokenShift) } : {}),
    };
  }

  #completeItem(item: StreamEvent): StreamEvent {
    if (item.type !== 'message') return item;
    const { id, content } = item as ResponseItem;
    return {
      ...item,
      id: this.#ids.item ?? id,
      ...(content ? { content: content.map((part) => this.#completePart(part)) } : {}),
    };
  }

  #completePart(part: StreamEvent): StreamEvent {
    return typeof part.text === 'string' ? { ...part, text: this.#completeText(part.text) } : part;
  }

  #completeText(text: string): string {
    const { finished, content, closingRepeatsText } = this.#point;
    if (finished !== 'no') return content;
    return closingRepeatsText ? text : content + text;
  }
}

/** Each kind of item begins and ends with events of its own: a call may follow the message. */
const getItemEvent = ({ type, item }: ResponsesEvent) => `${type} ${item?.type}`;
