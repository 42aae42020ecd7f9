interface Counts {
  readonly [field: string]: unknown;
}

/** What is to be moved from the input, where another engine counted it, to the output, where it belongs. */
export interface TokenShift {
  /** Tokens of the request itself; undefined where that is not known. */
  readonly input: number | undefined;
  /** Tokens that were said before the seam, and stood in the other engine's prompt. */
  readonly generatedBefore: number;
  /** Tokens that the other engine generated and nobody is told of. */
  readonly discarded: number;
}

/** OpenAI's usage, of completions and chats, and of Responses by its other names, as if one engine had said all. */
export function combineUsage(usage: Counts, moved: TokenShift): Counts {
  const [inputName, outputName] =
    'prompt_tokens' in usage
      ? (['prompt_tokens', 'completion_tokens'] as const)
      : (['input_tokens', 'output_tokens'] as const);
  const input = moved.input ?? count(usage[inputName]) - moved.generatedBefore;
  const output = count(usage[outputName]) + moved.generatedBefore - moved.discarded;
  const details = `${inputName}_details`;
  return {
    ...usage,
    [inputName]: input,
    [outputName]: output,
    ...('total_tokens' in usage ? { total_tokens: input + output } : {}),
    ...(details in usage ? { [details]: cachedUpTo(usage[details], input) } : {}),
  };
}

/** llama-server's own counts, likewise. Its times stay those of the last engine. */
export function combineTimings(timings: Counts, moved: TokenShift): Counts {
  const input = moved.input ?? count(timings.cache_n) + count(timings.prompt_n) - moved.generatedBefore;
  const cached = Math.min(count(timings.cache_n), input);
  const output = count(timings.predicted_n) + moved.generatedBefore - moved.discarded;
  return { ...timings, cache_n: cached, prompt_n: input - cached, predicted_n: output };
}

function cachedUpTo(details: unknown, input: number): unknown {
  const { cached_tokens, ...rest } = (details ?? {}) as Counts;
  return cached_tokens === undefined
    ? details
    : { ...rest, cached_tokens: Math.min(count(cached_tokens), input) };
}

const count = (value: unknown) => (typeof value === 'number' ? value : 0);
