import type { JsonObject } from '../../../json/json-object.ts';
import { invalidValue, storeDisabled, unsupportedValue } from '../../errors/catalogue.ts';
import { isJsonObject, mapList, withFields, withoutNulls } from '../json.ts';
import { type NormalizationNotes, stripBillingLine } from '../normalization.ts';
import { resolveFormatAndTools } from '../tool-choice.ts';
import { normalizeItem, pairResponseCalls } from './items.ts';
import { normalizeResponseTools } from './tools.ts';

/** A Responses request in the form that llama-server reads; the same object where it has that form already. */
export function normalizeResponses(fields: JsonObject, notes: NormalizationNotes): JsonObject {
  rejectStoredState(fields);
  rejectUnsupported(fields);
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
  const normalized = withFields(withoutNulls(fields, ['tools']), members);
  return resolveFormatAndTools(normalizeResponseTools(normalized, notes), notes);
}

/** With a store, all of this has been taken from the request before. Some clients send an empty text for no conversation. */
function rejectStoredState({ previous_response_id, conversation, background, prompt }: JsonObject): void {
  if (typeof previous_response_id === 'string' && previous_response_id !== '')
    throw storeDisabled('previous_response_id');
  if (conversation !== undefined && conversation !== null && conversation !== '')
    throw storeDisabled('conversation');
  if (background === true) throw storeDisabled('background');
  if (isJsonObject(prompt))
    throw unsupportedValue(
      'prompt',
      "names a prompt that is stored at OpenAI. Send its text in 'instructions' and 'input'.",
    );
}

function rejectUnsupported(fields: JsonObject): void {
  const { include, top_logprobs, logprobs, instructions, text, truncation } = fields;
  if (!truncations.has(truncation)) throw invalidValue('truncation', "'auto' or 'disabled'", truncation);
  if (Array.isArray(include) && include.includes('message.output_text.logprobs'))
    throw unsupportedValue('include', NO_LOGPROBS);
  if (typeof top_logprobs === 'number' && top_logprobs > 0 && !logprobs)
    throw unsupportedValue('top_logprobs', NO_LOGPROBS);
  if (instructions !== undefined && instructions !== null && typeof instructions !== 'string')
    throw invalidValue('instructions', "a string (send items in 'input')", instructions);
  const format = isJsonObject(text) && isJsonObject(text.format) ? text.format.type : undefined;
  if (format !== undefined && !formats.has(format))
    throw invalidValue('text.format.type', "'text', 'json_object' or 'json_schema'");
}

const NO_LOGPROBS =
  'asks for log-probabilities, which llama-server gives only on /v1/chat/completions. Use that route, or remove the field.';
const formats: ReadonlySet<unknown> = new Set(['text', 'json_object', 'json_schema']);
const truncations: ReadonlySet<unknown> = new Set([undefined, null, 'auto', 'disabled']);

interface OutputFormat {
  readonly type?: unknown;
  readonly [field: string]: unknown;
}

/**
 * The output format of a Responses request in the form of chat completions; undefined where it has none. llama-server reads
 * only `response_format`, on this route too, and ignores `text.format`.
 */
export function toResponseFormat({ text, response_format }: JsonObject): object | undefined {
  const format = (text as { readonly format?: OutputFormat | null } | null | undefined)?.format;
  if (response_format !== undefined || typeof format !== 'object' || format === null) return undefined;
  const { type, ...json_schema } = format;
  if (type === 'json_object') return { type };
  return type === 'json_schema' ? { type, json_schema } : undefined;
}
