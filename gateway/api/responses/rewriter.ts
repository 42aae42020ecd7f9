import { randomBytes } from 'node:crypto';
import { findEventEnd, formatEvent, mapEvents } from '../../../sse/sse.ts';
import { parseJsonObject } from '../json.ts';
import type { ResponseRewriter, StreamError, StreamFormatter } from '../response-format.ts';
import { DeltaTemplate } from './delta-template.ts';
import { toResponseErrorCode } from './error-code.ts';
import { ItemIds } from './item-ids.ts';
import { completeResponse, type ResponseContext, type ResponseObject } from './response-object.ts';
import {
  addOwnEvents,
  completeEvent,
  initialStreamState,
  type ResponseStreamState,
  type ResponsesApiEvent,
  restoreStreamState,
  type SentEvents,
} from './stream-state.ts';

/**
 * Rewrites the response to one Responses request: adds what OpenAI's own clients need and llama-server omits. It also formats
 * the events of the gateway's own, because all events of a stream share one numbering.
 */
export class ResponsesApiRewriter implements ResponseRewriter, StreamFormatter {
  readonly #context: ResponseContext;
  readonly #newId: () => string;
  /** Set for a response with an id of ours. */
  readonly #itemIds: ItemIds | undefined;
  #state: ResponseStreamState;
  /** Made from the last event if that was a delta: neither that nor any like it changes an item. */
  #delta: DeltaTemplate | undefined;

  /** `newId` names a response that is announced before the engine has named it. `sent`: events that this one continues. */
  constructor(context: ResponseContext, newId = randomId, sent?: SentEvents) {
    this.#context = context;
    this.#newId = newId;
    this.#itemIds = context.id === undefined ? undefined : new ItemIds(sent?.events);
    this.#state = sent ? restoreStreamState(context, sent) : initialStreamState(context);
  }

  rewriteEvents(events: Buffer): Buffer {
    let rewritten = '';
    for (let at = 0; at < events.length; ) {
      const deltaEnd = this.#delta?.findEnd(events, at) ?? -1;
      if (this.#delta && deltaEnd !== -1) {
        rewritten += this.#delta.rewrite(events, at, deltaEnd, this.#state.next);
        this.#state = { ...this.#state, next: this.#state.next + 1 };
        at = deltaEnd;
      } else {
        const end = findEventEnd(events, at);
        const event = events.subarray(at, end === -1 ? events.length : end);
        rewritten += this.#parseAndRewrite(event);
        at += event.length;
      }
    }
    return Buffer.from(rewritten);
  }

  rewriteBody(body: Buffer): Buffer {
    const response = parseJsonObject(body.toString());
    if (response === undefined) return body;
    const named = this.#itemIds?.renameOutput(response) ?? response;
    return Buffer.from(JSON.stringify(completeResponse(this.#context, named)));
  }

  keepAlive(): string {
    return this.#formatOwn(keepAliveEvents(this.#state, this.#newId));
  }

  error(error: StreamError): string {
    return this.#formatOwn(errorEvents(this.#state, error, this.#newId));
  }

  /** Events that are sent in place of the last one, which has this usage: the tokens were generated all the same. */
  failLast(error: StreamError, usage: ResponseObject['usage']): string {
    this.#state = { ...this.#state, next: this.#state.next - 1 };
    return this.#formatOwn(errorEvents(this.#state, error, this.#newId, usage));
  }

  #parseAndRewrite(event: Buffer): string {
    const number = this.#state.next;
    const rewritten = mapEvents(event, (block) => this.#rewriteBlock(block)).toString();
    this.#delta = DeltaTemplate.from(event, rewritten, number);
    return rewritten;
  }

  #formatOwn(own: readonly ResponsesApiEvent[]): string {
    const { state, events } = addOwnEvents(this.#state, own);
    const announced = own.find(({ type }) => type === 'response.created')?.response;
    this.#state = announced ? { ...state, response: announced } : state;
    return events.map((event) => formatEvent(event, event.type)).join('');
  }

  /** Comments, errors and the rest after the last event are not events of this API and are not changed. */
  #rewriteBlock(block: string): string | readonly string[] {
    const data = /^event: \S+\ndata: (.*)$/s.exec(block)?.[1];
    const event = data === undefined ? undefined : parseJsonObject(data);
    if (typeof event?.type !== 'string') return block;
    const named = this.#itemIds?.renameIn(event as ResponsesApiEvent) ?? (event as ResponsesApiEvent);
    const { state, events } = completeEvent(this.#state, named);
    this.#state = state;
    return events.map((event) => formatEvent(event, event.type).trimEnd());
  }
}

const randomId = () => `resp_${randomBytes(24).toString('hex')}`;

/**
 * Events that show a client that its stream is alive. Before the first item the response is announced once, and then reported
 * in progress again and again. Later, such a report would make some SDKs discard what they have collected: from then on the
 * item in progress gets an empty delta, which all SDKs can append. No other event is safe for all of them.
 */
function keepAliveEvents(
  { context, response, items }: ResponseStreamState,
  newId: () => string,
): readonly ResponsesApiEvent[] {
  if (response === undefined) return announcement(context, newId());
  const item = items.at(-1);
  if (item === undefined) return [{ type: 'response.in_progress', response }];
  const delta = { item_id: item.id, output_index: items.length - 1, delta: '' };
  if (item.type === 'function_call' && item.content !== 'closed')
    return [{ type: 'response.function_call_arguments.delta', ...delta }];
  if (item.content !== 'open') return [];
  if (item.type === 'message')
    return [{ type: 'response.output_text.delta', ...delta, content_index: 0, logprobs: [] }];
  return item.type === 'reasoning'
    ? [{ type: 'response.reasoning_text.delta', ...delta, content_index: 0 }]
    : [];
}

/** Some clients know only one of the two error events, some only the other; no SDK accepts either before the announcement. */
function errorEvents(
  { context, response }: ResponseStreamState,
  error: StreamError,
  newId: () => string,
  usage: ResponseObject['usage'] = null,
): readonly ResponsesApiEvent[] {
  const created = response ? [] : announcement(context, newId());
  const announced = response ?? created[0]?.response;
  const { message } = error;
  const code = toResponseErrorCode(error);
  const failed = { ...announced, status: 'failed', error: { code, message }, usage };
  return [
    ...created,
    { type: 'response.failed', response: failed },
    { type: 'error', code: error.code, message, param: null },
  ];
}

function announcement(context: ResponseContext, id: string): readonly ResponsesApiEvent[] {
  const response = completeResponse(context, { id, object: 'response', status: 'in_progress' });
  return [
    { type: 'response.created', response },
    { type: 'response.in_progress', response },
  ];
}
