import type { JsonObject } from '../../json/json-object.ts';
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

/** The tokens that a request is expected to take, before the backend has counted any. */
export interface TokenEstimate {
  /** Estimated tokens of input. */
  readonly input: number;
  /** How many inputs share that number. */
  readonly inputs: number;
  /** The most tokens of one completion; undefined where the request sets no limit. */
  readonly output: number | undefined;
  /** How many completions there will be: choices times inputs. */
  readonly completions: number;
}

const BYTES_PER_TOKEN = 4;
/** For an image or a piece of audio. The real number depends on the model. */
const TOKENS_PER_MEDIUM = 1000;
/** Shorter strings are text. */
export const MIN_MEDIUM_LENGTH = 1024;

export interface TokenEstimateInput {
  readonly fields: JsonObject;
  readonly shape: CompletionShape | undefined;
  /** Where the route takes several: each is decoded as a sequence of its own. */
  readonly inputs: readonly unknown[] | undefined;
  /** The size of the body that `fields` were parsed from. */
  readonly bytes: number;
  /** False where it is known that it has none, which saves the search. */
  readonly mayHaveMedia: boolean;
  readonly completions: number;
}

export function estimateTokens(request: TokenEstimateInput): TokenEstimate {
  const { fields, shape, inputs, bytes, mayHaveMedia, completions } = request;
  const input =
    inputs === undefined ? tokensOfBody(fields, bytes, mayHaveMedia) : tokensOfInputs(inputs, fields);
  return { input, inputs: inputs?.length ?? 1, output: getOutputLimit(shape, fields).tokens, completions };
}

/** For a form with an audio file. */
export function estimateFormTokens(): TokenEstimate {
  return { input: TOKENS_PER_MEDIUM, inputs: 1, output: undefined, completions: 1 };
}

/** The most tokens that all completions of a request may have together. */
export function maxOutputTokens({ output = Number.POSITIVE_INFINITY, completions }: TokenEstimate): number {
  return output * completions;
}

function tokensOfBody(fields: JsonObject, bytes: number, mayHaveMedia: boolean): number {
  const media = mayHaveMedia && bytes >= MIN_MEDIUM_LENGTH ? countMedia(fields) : noMedia;
  return Math.ceil((bytes - media.bytes) / BYTES_PER_TOKEN) + media.count * TOKENS_PER_MEDIUM;
}

/** The query of a reranking is read again with each document. */
function tokensOfInputs(inputs: readonly unknown[], { query }: JsonObject): number {
  const more = typeof query === 'string' ? tokensOfText(query) : 0;
  return inputs.reduce<number>((sum, input) => sum + tokensOfInput(input) + more, 0);
}

/** A text, token numbers, a mix of both, or a text with media (`tokenize_input_subprompt` of llama-server). */
function tokensOfInput(input: unknown): number {
  if (typeof input === 'string') return tokensOfText(input);
  if (Array.isArray(input)) return input.reduce<number>((sum, part) => sum + tokensOfInput(part), 0);
  if (typeof input !== 'object' || input === null) return 1;
  const { prompt_string, multimodal_data } = input as { prompt_string?: unknown; multimodal_data?: unknown };
  const media = Array.isArray(multimodal_data) ? multimodal_data.length : 0;
  return tokensOfInput(prompt_string ?? '') + media * TOKENS_PER_MEDIUM;
}

/** Plus one, because most models put a token before the text. */
const tokensOfText = (text: string) => Math.ceil(Buffer.byteLength(text) / BYTES_PER_TOKEN) + 1;

interface Media {
  count: number;
  bytes: number;
}

const noMedia: Readonly<Media> = { count: 0, bytes: 0 };

/** Members in which the APIs hold text, whatever it looks like. */
const textFields = new Set([
  'text',
  'content',
  'input',
  'prompt',
  'system',
  'instructions',
  'arguments',
  'output',
  'thinking',
  'reasoning_content',
]);

/** Base64 is not text: an image of a megabyte is a thousand tokens, not a quarter of a million. */
function countMedia(value: unknown, media: Media = { count: 0, bytes: 0 }): Media {
  if (typeof value === 'string' && isMedium(value)) {
    media.count += 1;
    media.bytes += value.length;
  } else if (Array.isArray(value)) {
    for (const part of value) countMedia(part, media);
  } else if (typeof value === 'object' && value !== null) {
    for (const name in value) {
      const part = (value as Record<string, unknown>)[name];
      // Nearly all strings are short, or text.
      if (typeof part !== 'string' || (part.length >= MIN_MEDIUM_LENGTH && !textFields.has(name)))
        countMedia(part, media);
    }
  }
  return media;
}

/** Only what is base64 to its end: words behind a long beginning of letters count like all other text. */
function isMedium(text: string): boolean {
  return text.length >= MIN_MEDIUM_LENGTH && /^(?:data:[^,]{0,200},)?[\w+/-]{512,}={0,2}\s*$/.test(text);
}
