import { isJsonObject, type JsonObject } from '../json-object.ts';
import type { ResponseRewriter } from '../response-rewriter.ts';

interface Call {
  readonly index?: number;
  readonly id?: string;
  readonly function?: { readonly name?: string; readonly arguments?: string };
}

const data = 'data: ';

/** The answer of a chat in the words of /v1/messages (messages-as-chat.ts), in a stream as llama-server's own events there. */
export class ChatToMessageRewriter implements ResponseRewriter {
  #hasBegun = false;
  /** The blocks so far, by what they are of: text, thinking, or the index of a call. */
  readonly #blocks: { readonly of: string | number; readonly type: string }[] = [];
  #usage: JsonObject = { input_tokens: 0, output_tokens: 0 };

  rewriteEvents(events: Buffer): Buffer {
    const blocks = events.toString().split('\n\n');
    return Buffer.from(blocks.map((block) => this.#translate(block)).join(''));
  }

  rewriteBody(body: Buffer): Buffer {
    const answer = parse(body.toString());
    const choice = choiceOf(answer);
    if (answer === undefined || choice === undefined) return body;
    const { message, finish_reason } = choice;
    return Buffer.from(
      JSON.stringify({
        ...begunMessage(answer),
        content: blocksOf(isJsonObject(message) ? message : {}),
        stop_reason: stopReasonOf(finish_reason),
        usage: usageOf(answer) ?? this.#usage,
      }),
    );
  }

  #translate(block: string): string {
    if (block === '') return '';
    if (!block.startsWith(data)) return `${block}\n\n`;
    const told = block.slice(data.length).trimEnd();
    if (told === '[DONE]') return event({ type: 'message_stop' });
    const chunk = parse(told);
    if (chunk === undefined || isJsonObject(chunk.error)) return `${block}\n\n`;
    this.#usage = usageOf(chunk) ?? this.#usage;
    const choice = choiceOf(chunk);
    const said = this.#begin(chunk) + (isJsonObject(choice?.delta) ? this.#say(choice.delta) : '');
    return typeof choice?.finish_reason === 'string' ? said + this.#finish(choice.finish_reason) : said;
  }

  #begin(chunk: JsonObject): string {
    if (this.#hasBegun) return '';
    this.#hasBegun = true;
    const message = { ...begunMessage(chunk), usage: { ...this.#usage, cache_read_input_tokens: 0 } };
    return event({ type: 'message_start', message });
  }

  #say({ reasoning_content, content, tool_calls }: JsonObject): string {
    let said = '';
    if (typeof reasoning_content === 'string' && reasoning_content !== '') {
      const [index, opened] = this.#open('thinking', { type: 'thinking', thinking: '' });
      said += opened + deltaOf(index, { type: 'thinking_delta', thinking: reasoning_content });
    }
    if (typeof content === 'string' && content !== '') {
      const [index, opened] = this.#open('text', { type: 'text', text: '' });
      said += opened + deltaOf(index, { type: 'text_delta', text: content });
    }
    for (const call of (tool_calls ?? []) as readonly Call[]) said += this.#call(call);
    return said;
  }

  #call({ index: of = 0, id, function: called = {} }: Call): string {
    const [index, opened] = this.#open(of, { type: 'tool_use', id, name: called.name, input: {} });
    const partial_json = called.arguments ?? '';
    return opened + (partial_json === '' ? '' : deltaOf(index, { type: 'input_json_delta', partial_json }));
  }

  #open(
    of: string | number,
    content_block: JsonObject & { readonly type: string },
  ): [index: number, opened: string] {
    const known = this.#blocks.findIndex((block) => block.of === of);
    if (known !== -1) return [known, ''];
    const index = this.#blocks.push({ of, type: content_block.type }) - 1;
    return [index, event({ type: 'content_block_start', index, content_block })];
  }

  #finish(reason: string): string {
    const closed = this.#blocks.map(({ type }, index) => {
      const signed = type === 'thinking' ? deltaOf(index, { type: 'signature_delta', signature: '' }) : '';
      return signed + event({ type: 'content_block_stop', index });
    });
    const delta = { stop_reason: stopReasonOf(reason), stop_sequence: null };
    return closed.join('') + event({ type: 'message_delta', delta, usage: this.#usage });
  }
}

const event = (it: { readonly type: string; readonly [field: string]: unknown }) =>
  `event: ${it.type}\n${data}${JSON.stringify(it)}\n\n`;

const deltaOf = (index: number, delta: object) => event({ type: 'content_block_delta', index, delta });

function begunMessage({ id, model }: JsonObject) {
  const role = 'assistant';
  return {
    id: String(id).replace(/^chatcmpl-/, 'msg_'),
    type: 'message',
    role,
    content: [],
    model,
    stop_reason: null,
    stop_sequence: null,
  };
}

function choiceOf(answer: JsonObject | undefined): JsonObject | undefined {
  const [choice] = Array.isArray(answer?.choices) ? answer.choices : [];
  return isJsonObject(choice) ? choice : undefined;
}

function blocksOf({ reasoning_content, content, tool_calls }: JsonObject): object[] {
  const thoughts = reasoning_content
    ? [{ type: 'thinking', thinking: reasoning_content, signature: '' }]
    : [];
  const texts = content ? [{ type: 'text', text: content }] : [];
  const calls = ((tool_calls ?? []) as readonly Call[]).map(({ id, function: called }) => {
    return { type: 'tool_use', id, name: called?.name, input: parse(called?.arguments ?? '') ?? {} };
  });
  return [...thoughts, ...texts, ...calls];
}

const stopReasons: Readonly<Record<string, string>> = { length: 'max_tokens', tool_calls: 'tool_use' };
const stopReasonOf = (reason: unknown) => stopReasons[String(reason)] ?? 'end_turn';

/** What came from the cache is told apart from what was read, as Anthropic has it. */
function usageOf({ timings, usage }: JsonObject): JsonObject | undefined {
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

function parse(json: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
