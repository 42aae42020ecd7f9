import { withoutBillingLine } from '../../anthropic/billing-line.ts';
import { cannotCarry, invalidValue, storeDisabled } from '../../refusal/catalogue.ts';
import { chatFormat } from '../responses/chat-format.ts';
import { type Fields, isFields, mapKept, withFields, withoutNulls } from './fields.ts';
import { formatOrTools } from './format-or-tools.ts';
import type { Notes } from './notes.ts';
import { pairResponseCalls } from './pair-response-calls.ts';
import { normalizeItem } from './response-items.ts';
import { normalizeResponseTools } from './response-tools.ts';

/** A Responses request as llama-server reads it; the same fields where it does already. */
export function normalizeResponses(fields: Fields, notes: Notes): Fields {
  refuseWhatIsStored(fields);
  refuseWhatNobodyReads(fields);
  const { input, instructions, top_logprobs, logprobs, text, response_format } = fields;
  const items = Array.isArray(input)
    ? pairResponseCalls(
        mapKept(input, (item, index) => normalizeItem(item, `input[${index}]`, notes)),
        notes,
      )
    : input;
  const members = {
    instructions: withoutBillingLine(instructions) ?? undefined,
    input: items,
    top_logprobs: top_logprobs === 0 && !logprobs ? undefined : top_logprobs,
    response_format: chatFormat({ text, response_format }) ?? response_format,
  };
  const whole = withFields(withoutNulls(fields, ['tools']), members);
  return formatOrTools(normalizeResponseTools(whole, notes), notes);
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
