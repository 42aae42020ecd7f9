import type { JsonObject } from './json-object.ts';
import { getOutputLimit } from './request-fields.ts';
import type { CompletionShape } from './route-table.ts';

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
const MIN_MEDIUM_LENGTH = 1024;

export interface TokenEstimateInput {
  readonly fields: JsonObject;
  readonly shape: CompletionShape | undefined;
  /** Where the route takes several: each is decoded as a sequence of its own. */
  readonly inputs: readonly unknown[] | undefined;
  /** The size of the body that `fields` were parsed from. */
  readonly bytes: number;
  readonly completions: number;
}

export function estimateTokens(request: TokenEstimateInput): TokenEstimate {
  const { fields, shape, inputs, bytes, completions } = request;
  const input = inputs === undefined ? tokensOfBody(fields, bytes) : tokensOfInputs(inputs, fields);
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

function tokensOfBody(fields: JsonObject, bytes: number): number {
  const media = bytes < MIN_MEDIUM_LENGTH ? noMedia : countMedia(fields);
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
