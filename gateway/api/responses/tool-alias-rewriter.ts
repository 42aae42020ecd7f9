import { isJsonObject, type JsonObject } from '../json-object.ts';
import type { ResponseRewriter } from '../response-rewriter.ts';
import type { ToolAlias, ToolAliases } from '../tool-aliases.ts';
import { CustomInputReader, readCustomInput } from './custom-input.ts';

interface OpenCall {
  readonly form: ToolAlias;
  readonly input: CustomInputReader;
}

/** The answer to a Responses request whose tools were put as functions: its calls are of the tools that the client gave. */
export class ToolAliasRewriter implements ResponseRewriter {
  readonly #inner: ResponseRewriter;
  readonly #forms: ToolAliases;
  readonly #calls = new Map<unknown, OpenCall>();

  /** `inner` makes the events whole first. */
  constructor(inner: ResponseRewriter, forms: ToolAliases) {
    this.#inner = inner;
    this.#forms = forms;
  }

  rewriteEvents(events: Buffer): Buffer {
    const told = this.#inner.rewriteEvents(events);
    if (!told.includes('function_call')) return told;
    const blocks = told.toString().split('\n\n');
    return Buffer.from(blocks.map((block) => this.#reform(block)).join('\n\n'));
  }

  rewriteBody(body: Buffer): Buffer {
    const told = this.#inner.rewriteBody(body);
    const response = parse(told.toString());
    return response ? Buffer.from(JSON.stringify(this.#response(response))) : told;
  }

  #reform(block: string): string {
    const data = /^event: \S+\ndata: (.*)$/s.exec(block)?.[1];
    const event = data === undefined ? undefined : parse(data);
    if (event === undefined) return block;
    const formed = this.#event(event);
    return formed === event ? block : `event: ${formed.type}\ndata: ${JSON.stringify(formed)}`;
  }

  #event(event: JsonObject): JsonObject {
    const { type, item, response, item_id } = event;
    if (isJsonObject(response)) return { ...event, response: this.#response(response) };
    if (isJsonObject(item)) {
      const form = this.#formOf(item);
      if (form && type === 'response.output_item.added')
        this.#calls.set(item.id, { form, input: new CustomInputReader() });
      return form ? { ...event, item: callOf(item, form) } : event;
    }
    const call = this.#calls.get(item_id);
    return call ? argumentsOf(event, call) : event;
  }

  #response(response: JsonObject): JsonObject {
    if (!Array.isArray(response.output)) return response;
    const output = response.output.map((item: unknown) => {
      const form = isJsonObject(item) ? this.#formOf(item) : undefined;
      return form ? callOf(item as JsonObject, form) : item;
    });
    return { ...response, output };
  }

  #formOf({ type, name }: JsonObject): ToolAlias | undefined {
    return type === 'function_call' && typeof name === 'string' ? this.#forms.get(name) : undefined;
  }
}

function callOf(item: JsonObject, { type, name, namespace }: ToolAlias): JsonObject {
  const named = namespace === undefined ? { name } : { name, namespace };
  if (type === 'function') return { ...item, ...named };
  const { arguments: args, ...rest } = item;
  return {
    ...rest,
    ...named,
    id: customId(item.id),
    type: 'custom_tool_call',
    input: typeof args === 'string' ? readCustomInput(args) : '',
  };
}

/** As OpenAI names the calls of custom tools. */
const customId = (id: unknown) => String(id).replace(/^fc_/, 'ctc_');

/** The number of an event stays behind all else (step-response-stream.ts). */
function argumentsOf(event: JsonObject, { form, input }: OpenCall): JsonObject {
  const { type, name, arguments: args, delta, sequence_number, item_id, ...place } = event;
  if (form.type === 'function') return name === undefined ? event : { ...event, name: form.name };
  const rest = { item_id: customId(item_id), ...place };
  if (type === 'response.function_call_arguments.delta') {
    const told = typeof delta === 'string' ? input.add(delta) : '';
    return { type: 'response.custom_tool_call_input.delta', ...rest, delta: told, sequence_number };
  }
  if (type !== 'response.function_call_arguments.done') return event;
  const told = typeof args === 'string' ? readCustomInput(args) : '';
  return { type: 'response.custom_tool_call_input.done', ...rest, input: told, sequence_number };
}

function parse(json: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
