import { formatEvent, mapEvents } from '../../../sse/sse.ts';
import { isJsonObject, type JsonObject, parseJsonObject } from '../json.ts';
import type { ToolAlias, ToolAliases } from '../normalization.ts';
import type { ResponseRewriter } from '../response-format.ts';

interface OpenCall {
  readonly alias: ToolAlias;
  readonly input: CustomInputReader;
}

/**
 * Rewrites the response to a Responses request whose tools were sent to llama-server as functions: its calls name the tools
 * that the client sent.
 */
export class ToolAliasRewriter implements ResponseRewriter {
  readonly #inner: ResponseRewriter;
  readonly #aliases: ToolAliases;
  readonly #calls = new Map<unknown, OpenCall>();

  /** `inner` completes the events first. */
  constructor(inner: ResponseRewriter, aliases: ToolAliases) {
    this.#inner = inner;
    this.#aliases = aliases;
  }

  rewriteEvents(events: Buffer): Buffer {
    const completed = this.#inner.rewriteEvents(events);
    if (!completed.includes('function_call')) return completed;
    return mapEvents(completed, (event) => this.#rewriteBlock(event));
  }

  rewriteBody(body: Buffer): Buffer {
    const completed = this.#inner.rewriteBody(body);
    const response = parseJsonObject(completed.toString());
    return response ? Buffer.from(JSON.stringify(this.#rewriteResponse(response))) : completed;
  }

  #rewriteBlock(block: string): string {
    const data = /^event: \S+\ndata: (.*)$/s.exec(block)?.[1];
    const event = data === undefined ? undefined : parseJsonObject(data);
    if (event === undefined) return block;
    const rewritten = this.#rewriteEvent(event);
    return rewritten === event ? block : formatEvent(rewritten, String(rewritten.type)).trimEnd();
  }

  #rewriteEvent(event: JsonObject): JsonObject {
    const { type, item, response, item_id } = event;
    if (isJsonObject(response)) return { ...event, response: this.#rewriteResponse(response) };
    if (isJsonObject(item)) {
      const alias = this.#findAlias(item);
      if (alias && type === 'response.output_item.added')
        this.#calls.set(item.id, { alias, input: new CustomInputReader() });
      return alias ? { ...event, item: rewriteCall(item, alias) } : event;
    }
    const call = this.#calls.get(item_id);
    return call ? rewriteArguments(event, call) : event;
  }

  #rewriteResponse(response: JsonObject): JsonObject {
    if (!Array.isArray(response.output)) return response;
    const output = response.output.map((item: unknown) => {
      const alias = isJsonObject(item) ? this.#findAlias(item) : undefined;
      return alias ? rewriteCall(item as JsonObject, alias) : item;
    });
    return { ...response, output };
  }

  #findAlias({ type, name }: JsonObject): ToolAlias | undefined {
    return type === 'function_call' && typeof name === 'string' ? this.#aliases.get(name) : undefined;
  }
}

function rewriteCall(item: JsonObject, { type, name, namespace }: ToolAlias): JsonObject {
  const named = namespace === undefined ? { name } : { name, namespace };
  if (type === 'function') return { ...item, ...named };
  const { arguments: args, ...rest } = item;
  return {
    ...rest,
    ...named,
    id: toCustomId(item.id),
    type: 'custom_tool_call',
    input: typeof args === 'string' ? readCustomInput(args) : '',
  };
}

/** OpenAI's prefix for calls of custom tools. */
const toCustomId = (id: unknown) => String(id).replace(/^fc_/, 'ctc_');

/** The number of an event stays behind all other fields (stream-state.ts). */
function rewriteArguments(event: JsonObject, { alias, input }: OpenCall): JsonObject {
  const { type, name, arguments: args, delta, sequence_number, item_id, ...place } = event;
  if (alias.type === 'function') return name === undefined ? event : { ...event, name: alias.name };
  const rest = { item_id: toCustomId(item_id), ...place };
  if (type === 'response.function_call_arguments.delta') {
    const text = typeof delta === 'string' ? input.add(delta) : '';
    return { type: 'response.custom_tool_call_input.delta', ...rest, delta: text, sequence_number };
  }
  if (type !== 'response.function_call_arguments.done') return event;
  const text = typeof args === 'string' ? readCustomInput(args) : '';
  return { type: 'response.custom_tool_call_input.done', ...rest, input: text, sequence_number };
}

/** The beginning of the arguments of a function that stands for a custom tool, before the text of its input. */
const opening = /^\s*\{\s*"input"\s*:\s*"/;
/** Complete characters and escapes. */
const complete = /^(?:[^"\\]|\\(?:u[\da-fA-F]{4}|[^u]))*/;

/** Reads the input of a custom tool from the arguments of a function, while they arrive. */
export class CustomInputReader {
  #rest = '';
  #hasBegun = false;

  /** The text that these further characters of the arguments add to the input. */
  add(json: string): string {
    this.#rest += json;
    if (!this.#hasBegun) {
      const begun = opening.exec(this.#rest)?.[0];
      if (begun === undefined) return '';
      this.#hasBegun = true;
      this.#rest = this.#rest.slice(begun.length);
    }
    const read = complete.exec(this.#rest)?.[0] ?? '';
    this.#rest = this.#rest.slice(read.length);
    return JSON.parse(`"${read}"`);
  }
}

/** Reads the input from all of the arguments; returns these unchanged where they have another form. */
export function readCustomInput(json: string): string {
  try {
    const { input } = JSON.parse(json) as { input?: unknown };
    return typeof input === 'string' ? input : json;
  } catch {
    return new CustomInputReader().add(json);
  }
}
