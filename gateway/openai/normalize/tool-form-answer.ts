import type { AnswerMender } from '../../upstream/answer-mender.ts';
import { CustomInput, customInputOf } from './custom-input.ts';
import { type Fields, isFields } from './fields.ts';
import type { ToolForm, ToolForms } from './tool-forms.ts';

interface OpenCall {
  readonly form: ToolForm;
  readonly input: CustomInput;
}

/** The answer to a Responses request whose tools were put as functions: its calls are of the tools that the client gave. */
export class ToolFormAnswer implements AnswerMender {
  readonly #inner: AnswerMender;
  readonly #forms: ToolForms;
  readonly #calls = new Map<unknown, OpenCall>();

  /** `inner` makes the events whole first. */
  constructor(inner: AnswerMender, forms: ToolForms) {
    this.#inner = inner;
    this.#forms = forms;
  }

  events(events: Buffer): Buffer {
    const told = this.#inner.events(events);
    if (!told.includes('function_call')) return told;
    const blocks = told.toString().split('\n\n');
    return Buffer.from(blocks.map((block) => this.#reform(block)).join('\n\n'));
  }

  whole(body: Buffer): Buffer {
    const told = this.#inner.whole(body);
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

  #event(event: Fields): Fields {
    const { type, item, response, item_id } = event;
    if (isFields(response)) return { ...event, response: this.#response(response) };
    if (isFields(item)) {
      const form = this.#formOf(item);
      if (form && type === 'response.output_item.added')
        this.#calls.set(item.id, { form, input: new CustomInput() });
      return form ? { ...event, item: callOf(item, form) } : event;
    }
    const call = this.#calls.get(item_id);
    return call ? argumentsOf(event, call) : event;
  }

  #response(response: Fields): Fields {
    if (!Array.isArray(response.output)) return response;
    const output = response.output.map((item: unknown) => {
      const form = isFields(item) ? this.#formOf(item) : undefined;
      return form ? callOf(item as Fields, form) : item;
    });
    return { ...response, output };
  }

  #formOf({ type, name }: Fields): ToolForm | undefined {
    return type === 'function_call' && typeof name === 'string' ? this.#forms.get(name) : undefined;
  }
}

function callOf(item: Fields, { type, name, namespace }: ToolForm): Fields {
  const named = namespace === undefined ? { name } : { name, namespace };
  if (type === 'function') return { ...item, ...named };
  const { arguments: args, ...rest } = item;
  return {
    ...rest,
    ...named,
    id: customId(item.id),
    type: 'custom_tool_call',
    input: typeof args === 'string' ? customInputOf(args) : '',
  };
}

/** As OpenAI names the calls of custom tools. */
const customId = (id: unknown) => String(id).replace(/^fc_/, 'ctc_');

/** The number of an event stays behind all else (step-response-stream.ts). */
function argumentsOf(event: Fields, { form, input }: OpenCall): Fields {
  const { type, name, arguments: args, delta, sequence_number, item_id, ...place } = event;
  if (form.type === 'function') return name === undefined ? event : { ...event, name: form.name };
  const rest = { item_id: customId(item_id), ...place };
  if (type === 'response.function_call_arguments.delta') {
    const told = typeof delta === 'string' ? input.add(delta) : '';
    return { type: 'response.custom_tool_call_input.delta', ...rest, delta: told, sequence_number };
  }
  if (type !== 'response.function_call_arguments.done') return event;
  const told = typeof args === 'string' ? customInputOf(args) : '';
  return { type: 'response.custom_tool_call_input.done', ...rest, input: told, sequence_number };
}

function parse(json: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return isFields(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
