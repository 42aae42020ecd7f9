import type { CompletionShape } from './aggregate/aggregator.ts';
import { getOutputLimit } from './output-limit.ts';

/** What a request lets one expect, before the backend has counted anything. */
export interface TokenEstimate {
  /** An estimate of what is read. */
  readonly input: number;
  /** How many inputs share in that. */
  readonly inputs: number;
  /** The most that one answer may have; undefined where the request names no end. */
  readonly output: number | undefined;
  /** How many answers there will be: choices times inputs. */
  readonly completions: number;
}

const BYTES_PER_TOKEN = 4;
/** An image or a piece of audio. What it really takes depends on the model. */
const TOKENS_PER_MEDIUM = 1000;
/** Strings below this size are taken for text without a look. */
const SMALLEST_MEDIUM = 1024;

export interface TokenEstimateInput {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly shape: CompletionShape | undefined;
  /** Where the route takes several: each is decoded for itself. */
  readonly inputs: readonly unknown[] | undefined;
  /** The size of the body that `fields` were read from. */
  readonly bytes: number;
  readonly completions: number;
}

export function estimateTokens({
  fields,
  shape,
  inputs,
  bytes,
  completions,
}: TokenEstimateInput): TokenEstimate {
  const input = inputs === undefined ? tokensOfBody(fields, bytes) : tokensOfInputs(inputs, fields);
  return { input, inputs: inputs?.length ?? 1, output: getOutputLimit(shape, fields).tokens, completions };
}

function tokensOfBody(fields: TokenEstimateInput['fields'], bytes: number): number {
  const media = bytes < SMALLEST_MEDIUM ? none : mediaIn(fields);
  return Math.ceil((bytes - media.bytes) / BYTES_PER_TOKEN) + media.count * TOKENS_PER_MEDIUM;
}

/** With the query of a reranking, which is read with each document anew. */
function tokensOfInputs(inputs: readonly unknown[], { query }: TokenEstimateInput['fields']): number {
  const more = typeof query === 'string' ? tokensOfText(query) : 0;
  return inputs.reduce<number>((sum, input) => sum + tokensOfInput(input) + more, 0);
}

/** Of a text, of tokens as their numbers, of both mixed, or of a text with media (`tokenize_input_subprompt` of llama-server). */
function tokensOfInput(input: unknown): number {
  if (typeof input === 'string') return tokensOfText(input);
  if (Array.isArray(input)) return input.reduce<number>((sum, part) => sum + tokensOfInput(part), 0);
  if (typeof input !== 'object' || input === null) return 1;
  const { prompt_string, multimodal_data } = input as { prompt_string?: unknown; multimodal_data?: unknown };
  const media = Array.isArray(multimodal_data) ? multimodal_data.length : 0;
  return tokensOfInput(prompt_string ?? '') + media * TOKENS_PER_MEDIUM;
}

/** One mark more, as most models begin with one. */
const tokensOfText = (text: string) => Math.ceil(Buffer.byteLength(text) / BYTES_PER_TOKEN) + 1;

/** The most that is written for a request, in all its answers. */
export function maxOutputTokens({ output = Number.POSITIVE_INFINITY, completions }: TokenEstimate): number {
  return output * completions;
}

/** For a body that is a form around a file of sound. */
export function estimateFormTokens(): TokenEstimate {
  return { input: TOKENS_PER_MEDIUM, inputs: 1, output: undefined, completions: 1 };
}

interface Media {
  count: number;
  bytes: number;
}

const none: Readonly<Media> = { count: 0, bytes: 0 };

/** Where the APIs have text, whatever it looks like. */
const texts = new Set([
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

/** Base64 is no text: an image of a megabyte is a thousand tokens, not a quarter of a million. */
function mediaIn(value: unknown, media: Media = { count: 0, bytes: 0 }): Media {
  if (typeof value === 'string' && isMedium(value)) {
    media.count += 1;
    media.bytes += value.length;
  } else if (Array.isArray(value)) {
    for (const part of value) mediaIn(part, media);
  } else if (typeof value === 'object' && value !== null) {
    for (const name in value) {
      const part = (value as Record<string, unknown>)[name];
      // Nearly all strings are short, or texts.
      if (typeof part !== 'string' || (part.length >= SMALLEST_MEDIUM && !texts.has(name)))
        mediaIn(part, media);
    }
  }
  return media;
}

/** Only what is base64 to its end: words behind a long beginning of letters are read like all others. */
function isMedium(text: string): boolean {
  return text.length >= SMALLEST_MEDIUM && /^(?:data:[^,]{0,200},)?[\w+/-]{512,}={0,2}\s*$/.test(text);
}
