import { cannotCarry, invalidValue, storeDisabled } from '../../refusal/catalogue.ts';
import { chatFormat } from '../responses/chat-format.ts';
import { type Fields, isFields, mapKept, withFields, withoutNulls } from './fields.ts';
import { formatOrTools } from './format-or-tools.ts';
import type { Notes } from './notes.ts';
import { pairResponseCalls } from './pair-response-calls.ts';
import { normalizeItem } from './response-items.ts';
import { chosenTools, type ToolChoice } from './tool-choice.ts';

/** A Responses request as llama-server reads it; the same fields where it does already. */
export function normalizeResponses(fields: Fields, notes: Notes): Fields {
  refuseWhatIsStored(fields);
  refuseWhatNobodyReads(fields);
  const { input, top_logprobs, logprobs, text, response_format } = fields;
  const items = Array.isArray(input)
    ? pairResponseCalls(
        mapKept(input, (item, index) => normalizeItem(item, `input[${index}]`, notes)),
        notes,
      )
    : input;
  const members = {
    input: items,
    top_logprobs: top_logprobs === 0 && !logprobs ? undefined : top_logprobs,
    response_format: chatFormat({ text, response_format }) ?? response_format,
  };
  const whole = withFields(withoutNulls(fields, ['instructions', 'tools']), members);
  return formatOrTools(normalizeTools(whole, notes), notes);
}

/** Until there is a store (`store` itself is taken and nothing kept). */
function refuseWhatIsStored({ previous_response_id, conversation, background, prompt }: Fields): void {
  if (typeof previous_response_id === 'string' && previous_response_id !== '')
    throw storeDisabled('previous_response_id');
  if (conversation !== undefined && conversation !== null) throw storeDisabled('conversation');
  if (background === true) throw storeDisabled('background');
  if (isFields(prompt))
    throw cannotCarry(
      'prompt',
      'names a prompt that is kept at OpenAI. Send its text as instructions and input.',
    );
}

function refuseWhatNobodyReads({ include, top_logprobs, logprobs, instructions, text }: Fields): void {
  if (Array.isArray(include) && include.includes('message.output_text.logprobs'))
    throw cannotCarry('include', `asks for log-probabilities, ${NO_LOGPROBS}`);
  if (typeof top_logprobs === 'number' && top_logprobs > 0 && !logprobs)
    throw cannotCarry('top_logprobs', `asks for log-probabilities, ${NO_LOGPROBS}`);
  if (instructions !== undefined && instructions !== null && typeof instructions !== 'string')
    throw invalidValue('instructions', 'a text; send items in input');
  const format = isFields(text) && isFields(text.format) ? text.format.type : undefined;
  if (format !== undefined && !formats.has(format))
    throw invalidValue('text.format.type', "'text', 'json_object' or 'json_schema'");
}

const NO_LOGPROBS = 'which llama-server tells on /v1/chat/completions alone. Ask there, or leave it out.';
const formats: ReadonlySet<unknown> = new Set(['text', 'json_object', 'json_schema']);

/** Tools that are no functions run at OpenAI, and llama-server passes over them: the client is told of that. */
function normalizeTools(fields: Fields, notes: Notes): Fields {
  const { tools, tool_choice, parallel_tool_calls } = fields;
  if (!Array.isArray(tools)) {
    const needed = readChoice(tool_choice);
    if (needed) chosenTools([], nameOf, needed, 'tool_choice');
    return fields;
  }
  const own = mapKept(tools, (tool) => {
    if (!isFields(tool) || tool.type === 'function' || tool.type === undefined) return normalizeTool(tool);
    notes.droppedTools.add(
      String(tool.type)
        .slice(0, LONGEST_TYPE)
        .replace(/[^\w.-]/g, '?'),
    );
    return undefined;
  });
  const choice = readChoice(tool_choice);
  if (choice === undefined) return withFields(fields, { tools: own });
  return withFields(fields, {
    tools: chosenTools(own, nameOf, choice, 'tool_choice'),
    tool_choice: choice.mode,
    parallel_tool_calls: choice.isOne ? (parallel_tool_calls ?? false) : parallel_tool_calls,
  });
}

/** It goes into a header. */
const LONGEST_TYPE = 64;

const nameOf = (tool: unknown) => (isFields(tool) ? tool.name : undefined);

function normalizeTool(tool: unknown): unknown {
  if (!isFields(tool)) return tool;
  return withFields(withoutNulls(tool, ['description', 'parameters', 'strict']), { type: 'function' });
}

/** Undefined for what llama-server understands by itself. */
function readChoice(choice: unknown): ToolChoice | undefined {
  if (choice === 'required') return { mode: 'required' };
  if (!isFields(choice)) return undefined;
  const { type, mode, tools } = choice;
  if (type === 'allowed_tools') {
    const names = Array.isArray(tools) ? tools.map(nameOf).filter((name) => typeof name === 'string') : [];
    if (names.length === 0)
      throw invalidValue('tool_choice.tools', 'a list of functions, each with its name');
    return { mode: mode === 'required' ? 'required' : 'auto', names };
  }
  const name = isFields(choice.function) ? choice.function.name : choice.name;
  if (type === 'function' && typeof name === 'string')
    return { mode: 'required', names: [name], isOne: true };
  throw invalidValue('tool_choice', "'auto', 'none', 'required', or a function of this request by its name");
}
