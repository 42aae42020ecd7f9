/** What a request lets one expect, before the backend has counted anything. */
export interface ExpectedTokens {
  /** An estimate of what is read. */
  readonly input: number;
  /** The most that one answer may have; undefined where the request names no end. */
  readonly output: number | undefined;
  /** How many answers there will be: choices times prompts. */
  readonly answers: number;
}

const BYTES_PER_TOKEN = 4;
/** An image or a piece of audio. What it really takes depends on the model. */
const TOKENS_PER_MEDIUM = 1000;
/** Strings below this size are taken for text without a look. */
const SMALLEST_MEDIUM = 1024;

/** As large as a number of tokens can be for llama-server. */
const LARGEST = 2 ** 31 - 1;

const ends = ['max_completion_tokens', 'max_tokens', 'max_output_tokens', 'n_predict'] as const;

/** `bytes` is the size of the body that `fields` were read from. */
export function expectTokens(
  fields: Readonly<Record<string, unknown>>,
  bytes: number,
  answers: number,
): ExpectedTokens {
  const media = bytes < SMALLEST_MEDIUM ? none : mediaIn(fields);
  const input = Math.ceil((bytes - media.bytes) / BYTES_PER_TOKEN) + media.count * TOKENS_PER_MEDIUM;
  return { input, output: namedEnd(fields), answers };
}

/** The most that is written for a request, in all its answers. */
export function mostTokens({ output = Number.POSITIVE_INFINITY, answers }: ExpectedTokens): number {
  return output * answers;
}

/** For a body that is a form around a file of sound. */
export function expectTokensOfForm(): ExpectedTokens {
  return { input: TOKENS_PER_MEDIUM, output: undefined, answers: 1 };
}

/** Below 0 means without end, as llama-server has it. */
function namedEnd(fields: Readonly<Record<string, unknown>>): number | undefined {
  const named = ends.map((name) => fields[name]).find((value) => typeof value === 'number' && value >= 0);
  return typeof named === 'number' ? Math.min(Math.ceil(named), LARGEST) : undefined;
}

interface Media {
  count: number;
  bytes: number;
}

const none: Readonly<Media> = { count: 0, bytes: 0 };

/** Base64 is no text: an image of a megabyte is a thousand tokens, not a quarter of a million. */
function mediaIn(value: unknown, media: Media = { count: 0, bytes: 0 }): Media {
  if (typeof value === 'string' && isMedium(value)) {
    media.count += 1;
    media.bytes += value.length;
  } else if (Array.isArray(value)) {
    for (const part of value) mediaIn(part, media);
  } else if (typeof value === 'object' && value !== null) {
    for (const name in value) mediaIn((value as Record<string, unknown>)[name], media);
  }
  return media;
}

/** Only what is base64 to its end: words behind a long beginning of letters are read like all others. */
function isMedium(text: string): boolean {
  return text.length >= SMALLEST_MEDIUM && /^(?:data:[^,]{0,200},)?[\w+/-]{512,}={0,2}\s*$/.test(text);
}
