import type { ResponseRewriter } from '../api/response-format.ts';

/** What is known of the place where the stream of one engine broke and another engine continues it. */
export interface ResumePoint {
  /** The events with which the first engine opened the response, as its client received them. */
  readonly opening: string;
  /** The events with which it had begun to end the response. */
  readonly closing: string;
  /** The text so far. */
  readonly content: string;
  /**
   * Whether the text is finished. Then the text of the next engine, which generates one token at least, is dropped.
   * `limit-reached`: all tokens that were allowed are generated.
   */
  readonly finished: 'no' | 'limit-reached' | 'complete';
  /** Closing events of the next engine that repeat the complete text include the text so far. */
  readonly closingRepeatsText: boolean;
  readonly tokenShift: TokenShift;
}

/** Makes the events of another engine the rest of a stream that its client has begun to read. */
export type ResumeRewriter = Pick<ResponseRewriter, 'rewriteEvents'>;

/** Tokens that move from the input, where the next engine counted them, to the output, where they belong. */
export interface TokenShift {
  /** Tokens of the request itself; undefined if that is not known. */
  readonly input: number | undefined;
  /** Tokens that were generated before the break, which are in the next engine's prompt. */
  readonly generatedBefore: number;
  /** Tokens that the next engine generated and that were dropped. */
  readonly discarded: number;
}

interface Counts {
  readonly [field: string]: unknown;
}

/** OpenAI's usage, that of chats and completions and that of Responses, as if one engine had generated everything. */
export function combineUsage(usage: Counts, shift: TokenShift): Counts {
  const [inputName, outputName] =
    'prompt_tokens' in usage
      ? (['prompt_tokens', 'completion_tokens'] as const)
      : (['input_tokens', 'output_tokens'] as const);
  const input = shift.input ?? toCount(usage[inputName]) - shift.generatedBefore;
  const output = toCount(usage[outputName]) + shift.generatedBefore - shift.discarded;
  const details = `${inputName}_details`;
  return {
    ...usage,
    [inputName]: input,
    [outputName]: output,
    ...('total_tokens' in usage ? { total_tokens: input + output } : {}),
    ...(details in usage ? { [details]: limitCached(usage[details], input) } : {}),
  };
}

/** llama-server's own counts, likewise. The durations are those of the last engine. */
export function combineTimings(timings: Counts, shift: TokenShift): Counts {
  const input = shift.input ?? toCount(timings.cache_n) + toCount(timings.prompt_n) - shift.generatedBefore;
  const cached = Math.min(toCount(timings.cache_n), input);
  const output = toCount(timings.predicted_n) + shift.generatedBefore - shift.discarded;
  return { ...timings, cache_n: cached, prompt_n: input - cached, predicted_n: output };
}

function limitCached(details: unknown, input: number): unknown {
  const { cached_tokens, ...rest } = (details ?? {}) as Counts;
  return cached_tokens === undefined
    ? details
    : { ...rest, cached_tokens: Math.min(toCount(cached_tokens), input) };
}

const toCount = (value: unknown) => (typeof value === 'number' ? value : 0);
