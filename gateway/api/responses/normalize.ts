import { invalidValue, storeDisabled, unsupportedValue } from '../../errors/catalogue.ts';
import { stripBillingLine } from '../billing-line.ts';
import { resolveFormatAndTools } from '../format-or-tools.ts';
import { isJsonObject, type JsonObject, mapList, withFields, withoutNulls } from '../json-object.ts';
import type { NormalizationNotes } from '../normalization-notes.ts';
import { normalizeItem } from './items.ts';
import { toResponseFormat } from './output-format.ts';
import { pairResponseCalls } from './pair-calls.ts';
import { normalizeResponseTools } from './tools.ts';

/** A Responses request as llama-server reads it; the same fields where it does already. */
export function normalizeResponses(fields: JsonObject, notes: NormalizationNotes): JsonObject {
  refuseWhatIsStored(fields);
  refuseWhatNobodyReads(fields);
  const { input, instructions, top_logprobs, logprobs, text, response_format } = fields;
  const items = Array.isArray(input)
    ? pairResponseCalls(
        mapList(input, (item, index) => normalizeItem(item, `input[${index}]`, notes)),
        notes,
      )
    : input;
  const members = {
    instructions: stripBillingLine(instructions) ?? undefined,
    input: items,
    top_logprobs: top_logprobs === 0 && !logprobs ? undefined : top_logprobs,
    response_format: toResponseFormat({ text, response_format }) ?? response_format,
  };
  const whole = withFields(withoutNulls(fields, ['tools']), members);
  return resolveFormatAndTools(normalizeResponseTools(whole, notes), notes);
}

/** Until there is a store (`store` itself is taken and nothing kept). */
function refuseWhatIsStored({ previous_response_id, conversation, background, prompt }: JsonObject): void {
  if (typeof previous_response_id === 'string' && previous_response_id !== '')
    throw storeDisabled('previous_response_id');
  if (conversation !== undefined && conversation !== null) throw storeDisabled('conversation');
  if (background === true) throw storeDisabled('background');
  if (isJsonObject(prompt))
    throw unsupportedValue(
      'prompt',
      'names a prompt that is kept at OpenAI. Send its text as instructions and input.',
    );
}

function refuseWhatNobodyReads({ include, top_logprobs, logprobs, instructions, text }: JsonObject): void {
  if (Array.isArray(include) && include.includes('message.output_text.logprobs'))
    throw unsupportedValue('include', `asks for log-probabilities, ${NO_LOGPROBS}`);
  if (typeof top_logprobs === 'number' && top_logprobs > 0 && !logprobs)
    throw unsupportedValue('top_logprobs', `asks for log-probabilities, ${NO_LOGPROBS}`);
  if (instructions !== undefined && instructions !== null && typeof instructions !== 'string')
    throw invalidValue('instructions', 'a text; send items in input');
  const format = isJsonObject(text) && isJsonObject(text.format) ? text.format.type : undefined;
  if (format !== undefined && !formats.has(format))
    throw invalidValue('text.format.type', "'text', 'json_object' or 'json_schema'");
}

const NO_LOGPROBS = 'which llama-server tells on /v1/chat/completions alone. Ask there, or leave it out.';
const formats: ReadonlySet<unknown> = new Set(['text', 'json_object', 'json_schema']);
