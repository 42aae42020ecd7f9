import type { JsonObject } from '../../../json/json-object.ts';
import { EVENT_END, formatEvent, getEventData, splitEvents } from '../../../sse/sse.ts';
import { isJsonObject, parseJsonObject } from '../json.ts';
import type { ResponseRewriter } from '../response-format.ts';

interface Call {
  readonly index?: number;
  readonly id?: string;
  readonly function?: { readonly name?: string; readonly arguments?: string };
}

/** A content block of the stream; `source` is what it is made from: text, thinking, or the index of a call. */
interface Block {
  readonly source: string | number;
  readonly type: string;
}

/**
 * Rewrites the response to a chat as one of /v1/messages, for a request that was converted to a chat (chat-request.ts). The
 * events of a stream are those that llama-server itself sends on that route.
 */
export class ChatToMessageRewriter implements ResponseRewriter {
  #hasBegun = false;
  readonly #blocks: Block[] = [];
  #usage: JsonObject = { input_tokens: 0, output_tokens: 0 };

  rewriteEvents(events: Buffer): Buffer {
    const rewritten = splitEvents(events.toString()).map((event) => this.#rewriteEvent(event));
    return Buffer.from(rewritten.join(''));
  }

  rewriteBody(body: Buffer): Buffer {
    const completion = parseJsonObject(body.toString());
    const choice = getChoice(completion);
    if (completion === undefined || choice === undefined) return body;
    const { message, finish_reason } = choice;
    return Buffer.from(
      JSON.stringify({
        ...emptyMessage(completion),
        content: toContent(isJsonObject(message) ? message : {}),
        stop_reason: toStopReason(finish_reason),
        usage: toUsage(completion) ?? this.#usage,
      }),
    );
  }

  #rewriteEvent(event: string): string {
    if (event === '') return '';
    const data = getEventData(event);
    if (data === '[DONE]') return formatTyped({ type: 'message_stop' });
    const chunk = data === undefined ? undefined : parseJsonObject(data);
    if (chunk === undefined || isJsonObject(chunk.error)) return event + EVENT_END;
    this.#usage = toUsage(chunk) ?? this.#usage;
    const choice = getChoice(chunk);
    const events = this.#begin(chunk) + (isJsonObject(choice?.delta) ? this.#rewriteDelta(choice.delta) : '');
    return typeof choice?.finish_reason === 'string' ? events + this.#finish(choice.finish_reason) : events;
  }

  #begin(chunk: JsonObject): string {
    if (this.#hasBegun) return '';
    this.#hasBegun = true;
    const message = { ...emptyMessage(chunk), usage: { ...this.#usage, cache_read_input_tokens: 0 } };
    return formatTyped({ type: 'message_start', message });
  }

  #rewriteDelta({ reasoning_content, content, tool_calls }: JsonObject): string {
    let events = '';
    if (typeof reasoning_content === 'string' && reasoning_content !== '') {
      const [index, opened] = this.#open('thinking', { type: 'thinking', thinking: '' });
      events += opened + formatDelta(index, { type: 'thinking_delta', thinking: reasoning_content });
    }
    if (typeof content === 'string' && content !== '') {
      const [index, opened] = this.#open('text', { type: 'text', text: '' });
      events += opened + formatDelta(index, { type: 'text_delta', text: content });
    }
    for (const call of (tool_calls ?? []) as readonly Call[]) events += this.#rewriteCall(call);
    return events;
  }

  #rewriteCall({ index: source = 0, id, function: called = {} }: Call): string {
    const [index, opened] = this.#open(source, { type: 'tool_use', id, name: called.name, input: {} });
    const partial_json = called.arguments ?? '';
    return (
      opened + (partial_json === '' ? '' : formatDelta(index, { type: 'input_json_delta', partial_json }))
    );
  }

  #open(
    source: Block['source'],
    content_block: JsonObject & { readonly type: string },
  ): [index: number, opened: string] {
    const known = this.#blocks.findIndex((block) => block.source === source);
    if (known !== -1) return [known, ''];
    const index = this.#blocks.push({ source, type: content_block.type }) - 1;
    return [index, formatTyped({ type: 'content_block_start', index, content_block })];
  }

  #finish(reason: string): string {
    const closed = this.#blocks.map(({ type }, index) => {
      const signature = { type: 'signature_delta', signature: '' };
      const signed = type === 'thinking' ? formatDelta(index, signature) : '';
      return signed + formatTyped({ type: 'content_block_stop', index });
    });
    const delta = { stop_reason: toStopReason(reason), stop_sequence: null };
    return closed.join('') + formatTyped({ type: 'message_delta', delta, usage: this.#usage });
  }
}

const formatTyped = (event: { readonly type: string; readonly [field: string]: unknown }) =>
  formatEvent(event, event.type);

const formatDelta = (index: number, delta: object) =>
  formatTyped({ type: 'content_block_delta', index, delta });

function emptyMessage({ id, model }: JsonObject) {
  return {
    id: String(id).replace(/^chatcmpl-/, 'msg_'),
    type: 'message',
    role: 'assistant',
    content: [],
    model,
    stop_reason: null,
    stop_sequence: null,
  };
}

function getChoice(completion: JsonObject | undefined): JsonObject | undefined {
  const [choice] = Array.isArray(completion?.choices) ? completion.choices : [];
  return isJsonObject(choice) ? choice : undefined;
}

function toContent({ reasoning_content, content, tool_calls }: JsonObject): object[] {
  const thinking = reasoning_content
    ? [{ type: 'thinking', thinking: reasoning_content, signature: '' }]
    : [];
  const texts = content ? [{ type: 'text', text: content }] : [];
  const calls = ((tool_calls ?? []) as readonly Call[]).map(({ id, function: called }) => {
    const input = parseJsonObject(called?.arguments ?? '') ?? {};
    return { type: 'tool_use', id, name: called?.name, input };
  });
  return [...thinking, ...texts, ...calls];
}

const stopReasons: Readonly<Record<string, string>> = { length: 'max_tokens', tool_calls: 'tool_use' };
const toStopReason = (reason: unknown) => stopReasons[String(reason)] ?? 'end_turn';

/** Anthropic counts tokens from the cache apart from the other input tokens. */
function toUsage({ timings, usage }: JsonObject): JsonObject | undefined {
  if (isJsonObject(timings)) {
    const { cache_n, prompt_n, predicted_n } = timings;
    return { cache_read_input_tokens: cache_n ?? 0, input_tokens: prompt_n, output_tokens: predicted_n };
  }
  if (!isJsonObject(usage)) return undefined;
  const details = isJsonObject(usage.prompt_tokens_details) ? usage.prompt_tokens_details : {};
  const cached = Number(details.cached_tokens ?? 0);
  return {
    cache_read_input_tokens: cached,
    input_tokens: Number(usage.prompt_tokens) - cached,
    output_tokens: usage.completion_tokens,
  };
}

/** Corrects where llama-server's messages differ from Anthropic's: the id, and the stop reason after a stop sequence. */
export class MessageRewriter implements ResponseRewriter {
  #hasId = false;

  /** Searches without parsing: only the first event and the last but one need a change. */
  rewriteEvents(events: Buffer): Buffer {
    if (this.#hasId && isTextDelta(events)) return events;
    const hasStart = !this.#hasId && events.includes(messageStart);
    if (!hasStart && !events.includes(stopSequence)) return events;
    this.#hasId ||= hasStart;
    const text = events.toString();
    return Buffer.from(correctStopReason(hasStart ? text.replace(idInStart, '$1msg_') : text));
  }

  rewriteBody(body: Buffer): Buffer {
    return Buffer.from(correctStopReason(body.toString().replace(idInBody, '$1msg_')));
  }
}

/** Nearly all pieces of a stream: one more piece of text of a block, with nothing behind it. */
function isTextDelta(events: Buffer): boolean {
  const { length } = events;
  if (events[BLOCK] !== letter.c || events[DELTA] !== letter.d) return false;
  return events[length - 5] === letter.quote && events[length - 4] === letter.brace;
}

const letter = { c: 0x63, d: 0x64, quote: 0x22, brace: 0x7d } as const;
const BLOCK = 'event: '.length;
const DELTA = 'event: content_block_'.length;

// Generated text is inside strings, where quotes are escaped, so it cannot match any of these.
const messageStart = 'event: message_start\n';
const idInStart = /^(event: message_start\ndata: \{"type":"message_start","message":\{"id":")chatcmpl-/m;
const idInBody = /^(\{"id":")chatcmpl-/;
const stopSequence = '"stop_sequence":"';
const endOfTurn = '"stop_reason":"end_turn","stop_sequence":"';

/**
 * llama-server names the stop sequence, but gives `end_turn` as the reason. Only the last place counts: a tool's input may
 * contain the same text.
 */
function correctStopReason(text: string): string {
  const at = text.lastIndexOf('"stop_reason":');
  if (!text.startsWith(endOfTurn, at)) return text;
  return `${text.slice(0, at)}"stop_reason":"stop_sequence",${text.slice(at + '"stop_reason":"end_turn",'.length)}`;
}
