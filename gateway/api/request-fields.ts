import type { JsonObject } from './json-object.ts';
import type { CompletionShape, InputsField } from './route-table.ts';

/** The largest number of tokens that one completion may have, as llama-server reads it. */
export interface OutputLimit {
  /** The field that llama-server obeys. A member of this name, appended behind the client's own, replaces it. */
  readonly name: string;
  /** Undefined where only the model ends the completion. */
  readonly tokens: number | undefined;
}

/** llama-server's largest number of tokens. */
const MAX_TOKENS = 2 ** 31 - 1;
/** llama-server's own limit for `/v1/messages` without one. */
const DEFAULT_MESSAGE_TOKENS = 4096;

/**
 * Of several fields llama-server obeys the first one, in its own order, that is not null, wherever it stands in the body
 * (seen with 0.7.0; server-schema.cpp). Its converters run before that: `max_output_tokens` of Responses replaces
 * `max_tokens`, and of Messages only `max_tokens` is kept. `shape` is that of the route, undefined for a native one.
 */
export function getOutputLimit(shape: CompletionShape | undefined, fields: JsonObject): OutputLimit {
  const names = limitFields(shape, fields);
  const name = names.find((each) => isPresent(fields[each])) ?? names.at(-1) ?? '';
  const isDefault = shape === 'message' && fields.max_tokens === undefined;
  return { name, tokens: isDefault ? DEFAULT_MESSAGE_TOKENS : readTokens(fields[name]) };
}

function limitFields(shape: CompletionShape | undefined, fields: JsonObject): readonly string[] {
  if (shape === 'message') return ['max_tokens'];
  const last =
    shape === 'response' && fields.max_output_tokens !== undefined ? 'max_output_tokens' : 'max_tokens';
  return ['n_predict', 'max_completion_tokens', last];
}

const isPresent = (value: unknown) => value !== undefined && value !== null;

/** Below 0 there is no limit; 0 and true mean one token; a fraction is cut off. llama-server rejects what is not a number. */
function readTokens(value: unknown): number | undefined {
  if (typeof value === 'boolean') return 1;
  if (typeof value !== 'number' || value <= -1) return undefined;
  return Math.min(Math.max(Math.trunc(value), 1), MAX_TOKENS);
}

/** The inputs of a request, one for each sequence; undefined where the route takes only one. */
export function getInputs(
  field: InputsField | undefined,
  fields: JsonObject,
): readonly unknown[] | undefined {
  if (field === undefined) return undefined;
  const name = findInputsField(field, fields);
  return name === undefined ? undefined : splitInputs(fields[name]);
}

/** The name under which llama-server finds the inputs. */
export function findInputsField(field: InputsField, fields: JsonObject): string | undefined {
  if (field === 'prompt') return 'prompt';
  if (field === 'input') return ['input', 'content'].find((name) => name in fields);
  // llama-server ignores a list that holds anything but texts.
  return ['documents', 'texts'].find((name) => isListOfTexts(fields[name]));
}

/**
 * A list is several inputs, unless it contains a number: then it is the tokens of one (`tokenize_input_prompts` of
 * llama-server, for prompts and embeddings alike).
 */
function splitInputs(value: unknown): readonly unknown[] {
  return Array.isArray(value) && value.length > 0 && !value.some(Number.isInteger) ? value : [value];
}

const isListOfTexts = (value: unknown) =>
  Array.isArray(value) && value.every((text) => typeof text === 'string');

/**
 * How many completions are generated for each input. llama-server reads `n_cmpl`, which wins over `n`, on all its routes but
 * Messages. It rejects or ignores `best_of`, and does not know other servers' fields.
 */
export function countChoices(shape: CompletionShape | undefined, { n_cmpl, n }: JsonObject): number {
  if (shape === 'message') return 1;
  const choices = n_cmpl ?? n;
  return typeof choices === 'number' && choices >= 1 ? Math.trunc(choices) : 1;
}
