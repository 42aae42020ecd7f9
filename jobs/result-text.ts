import type { BatchUsage } from '../store/batch.ts';

/** A line of an output or error file: the answer that the gateway has given, with its numbers as they came. */
export function responseText(
  id: string,
  customId: string,
  { status, requestId, json }: { readonly status: number; readonly requestId: string; readonly json: string },
): string {
  const begin = JSON.stringify({ id, custom_id: customId }).slice(0, -1);
  const head = JSON.stringify({ status_code: status, request_id: requestId }).slice(0, -1);
  // Line breaks in JSON are white space: those of strings are escaped.
  const body = json.replace(/[\r\n]+/g, ' ');
  return `${begin},"response":${head},"body":${body}},"error":null}`;
}

/** A line of an error file that never got an answer. */
export function errorText(id: string, customId: string, code: string, message: string): string {
  return JSON.stringify({ id, custom_id: customId, response: null, error: { code, message } });
}

type Counts = Readonly<Record<string, unknown>>;

/** The tokens that a response reports, of whichever API; undefined if it reports none. */
export function usageOf(body: unknown): BatchUsage | undefined {
  const usage = objectOf(objectOf(body).usage);
  const input = count(usage, 'input_tokens', 'prompt_tokens');
  const output = count(usage, 'output_tokens', 'completion_tokens');
  if (input + output === 0) return undefined;
  // Anthropic does not count cached tokens as input.
  const cachedBeside = count(usage, 'cache_read_input_tokens');
  const inputDetails = objectOf(usage.input_tokens_details ?? usage.prompt_tokens_details);
  const outputDetails = objectOf(usage.output_tokens_details ?? usage.completion_tokens_details);
  return {
    inputTokens: input + cachedBeside + count(usage, 'cache_creation_input_tokens'),
    cachedTokens: cachedBeside + count(inputDetails, 'cached_tokens'),
    outputTokens: output,
    reasoningTokens: count(outputDetails, 'reasoning_tokens'),
  };
}

const objectOf = (value: unknown): Counts =>
  typeof value === 'object' && value !== null ? (value as Counts) : {};

/** The first of these that is a number. */
function count(of: Counts, ...names: readonly string[]): number {
  const found = names.map((name) => of[name]).find((value) => typeof value === 'number');
  return (found as number | undefined) ?? 0;
}
