/** Tokens of one request as the backend counted them; `cached` is the part of `input` that it had not to read again. */
export interface Usage {
  readonly input: number;
  readonly cached: number;
  readonly output: number;
}

/**
 * Reads the token counts out of the two ends of an answer, whichever API it belongs to. llama-server's `timings` stand
 * near the end of most, asked for or not; `usage` comes in OpenAI's, Responses' and Anthropic's words.
 */
export function readUsage(ends: string): Usage | undefined {
  return fromTimings(ends) ?? fromUsage(ends);
}

function fromTimings(ends: string): Usage | undefined {
  // The last one: of what stands before it, nothing is read.
  const from = ends.lastIndexOf('"timings":');
  const timings = from === -1 ? undefined : objectsNamed('timings', ends.slice(from)).at(-1);
  if (timings === undefined) return undefined;
  const cached = count(timings, 'cache_n') ?? 0;
  const read = count(timings, 'prompt_n');
  const output = count(timings, 'predicted_n');
  if (read === undefined || output === undefined) return undefined;
  return { input: cached + read, cached, output };
}

/** An Anthropic stream tells what went in at its start and what came out at its end, hence all of them, last wins. */
function fromUsage(ends: string): Usage | undefined {
  let usage: Usage | undefined;
  for (const text of objectsNamed('usage', ends)) {
    const apart = count(text, 'cache_read_input_tokens');
    const input = count(text, 'prompt_tokens') ?? count(text, 'input_tokens');
    const output = count(text, 'completion_tokens') ?? count(text, 'output_tokens');
    usage = {
      input: input === undefined ? (usage?.input ?? 0) : input + (apart ?? 0),
      cached: apart ?? count(text, 'cached_tokens') ?? usage?.cached ?? 0,
      output: output ?? usage?.output ?? 0,
    };
  }
  return usage;
}

/** The text of each object of that name, one level of nesting included. Inside a JSON string the quotes are escaped. */
function objectsNamed(name: keyof typeof objects, text: string): string[] {
  return text.match(objects[name]) ?? [];
}

const objects = {
  timings: /"timings":\s*\{(?:[^{}]|\{[^{}]*\})*\}/g,
  usage: /"usage":\s*\{(?:[^{}]|\{[^{}]*\})*\}/g,
} as const;

function count(text: string, field: keyof typeof counts): number | undefined {
  const match = counts[field].exec(text);
  return match ? Number(match[1]) : undefined;
}

const counts = {
  cache_n: /"cache_n"\s*:\s*(\d+)/,
  prompt_n: /"prompt_n"\s*:\s*(\d+)/,
  predicted_n: /"predicted_n"\s*:\s*(\d+)/,
  prompt_tokens: /"prompt_tokens"\s*:\s*(\d+)/,
  input_tokens: /"input_tokens"\s*:\s*(\d+)/,
  completion_tokens: /"completion_tokens"\s*:\s*(\d+)/,
  output_tokens: /"output_tokens"\s*:\s*(\d+)/,
  cached_tokens: /"cached_tokens"\s*:\s*(\d+)/,
  cache_read_input_tokens: /"cache_read_input_tokens"\s*:\s*(\d+)/,
} as const;

/** Why the backend stopped, as the end of the answer says it; looked for from there. */
export function readFinishReason(ends: string): string | undefined {
  for (let at = lastReason(ends, ends.length); at !== -1; at = at === 0 ? -1 : lastReason(ends, at - 1)) {
    const reason = reasonAt.exec(ends.slice(at, at + LONGEST_REASON))?.[1];
    if (reason !== undefined) return reason;
  }
  return undefined;
}

const reasonAt = /^_reason"\s*:\s*"(\w+)"/;
const LONGEST_REASON = 64;

/** Of `finish_reason` as OpenAI has it, and `stop_reason` as Anthropic does. */
const lastReason = (ends: string, before: number) => ends.lastIndexOf('_reason"', before);
