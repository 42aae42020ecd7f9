import { DAY } from '../../settings/durations.ts';

/** Tokens of one request as the backend counted them; `cached` is the part of `input` that came from the prompt cache. */
export interface Usage {
  readonly input: number;
  readonly cached: number;
  readonly output: number;
}

/**
 * Reads the token counts from the beginning and the end of a response, of any API. Most responses have llama-server's
 * `timings` near the end, requested or not; `usage` has the names of OpenAI, Responses or Anthropic.
 */
export function readUsage(tail: string): Usage | undefined {
  return readTimings(tail) ?? readUsageObjects(tail);
}

function readTimings(tail: string): Usage | undefined {
  // Only the last object counts, so the text before it is not searched.
  const from = tail.lastIndexOf('"timings":');
  const timings = from === -1 ? undefined : findObjects('timings', tail.slice(from)).at(-1);
  if (timings === undefined) return undefined;
  const cached = readCount(timings, 'cache_n') ?? 0;
  const read = readCount(timings, 'prompt_n');
  const output = readCount(timings, 'predicted_n');
  if (read === undefined || output === undefined) return undefined;
  return { input: cached + read, cached, output };
}

/** An Anthropic stream has the input at its beginning and the output at its end: all objects are read, and the last one wins. */
function readUsageObjects(tail: string): Usage | undefined {
  let usage: Usage | undefined;
  for (const text of findObjects('usage', tail)) {
    const separate = readCount(text, 'cache_read_input_tokens');
    const input = readCount(text, 'prompt_tokens') ?? readCount(text, 'input_tokens');
    const output = readCount(text, 'completion_tokens') ?? readCount(text, 'output_tokens');
    usage = {
      input: input === undefined ? (usage?.input ?? 0) : input + (separate ?? 0),
      cached: separate ?? readCount(text, 'cached_tokens') ?? usage?.cached ?? 0,
      output: output ?? usage?.output ?? 0,
    };
  }
  return usage;
}

/** The text of each object of that name, with one level of nesting. Text inside a string cannot match: its quotes are escaped. */
function findObjects(name: keyof typeof objects, text: string): string[] {
  return text.match(objects[name]) ?? [];
}

const objects = {
  timings: /"timings":\s*\{(?:[^{}]|\{[^{}]*\})*\}/g,
  usage: /"usage":\s*\{(?:[^{}]|\{[^{}]*\})*\}/g,
} as const;

function readCount(text: string, field: keyof typeof counts): number | undefined {
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

/** Why the backend stopped. The search starts at the end of the response. */
export function readFinishReason(tail: string): string | undefined {
  for (
    let at = findLastReason(tail, tail.length);
    at !== -1;
    at = at === 0 ? -1 : findLastReason(tail, at - 1)
  ) {
    const reason = reasonField.exec(tail.slice(at, at + MAX_REASON_LENGTH))?.[1];
    if (reason !== undefined) return reason;
  }
  return undefined;
}

const reasonField = /^_reason"\s*:\s*"(\w+)"/;
const MAX_REASON_LENGTH = 64;

/** The end of OpenAI's `finish_reason` and of Anthropic's `stop_reason`. */
const findLastReason = (tail: string, before: number) => tail.lastIndexOf('_reason"', before);

/** The usage of one key, over any number of requests. Times are milliseconds. */
export interface UsageSums {
  requests: number;
  /** Requests with a status of 400 or above, or with a stream that could not be completed. */
  errors: number;
  /** Including `cached`. */
  input: number;
  cached: number;
  output: number;
  queueMs: number;
  /** Time at the backend. */
  computeMs: number;
  /** The same as a share of the machine: one of four slots for a second counts as a quarter of a second. */
  machineMs: number;
}

export const noUsage: Readonly<UsageSums> = {
  requests: 0,
  errors: 0,
  input: 0,
  cached: 0,
  output: 0,
  queueMs: 0,
  computeMs: 0,
  machineMs: 0,
};

/** In the order of the stored columns. */
export const sumNames = Object.keys(noUsage) as readonly (keyof UsageSums)[];

/** Without a loop over the names, which takes ten times as long: it runs at the end of every request. */
export function addUsage(to: UsageSums, more: Readonly<UsageSums>): void {
  to.requests += more.requests;
  to.errors += more.errors;
  to.input += more.input;
  to.cached += more.cached;
  to.output += more.output;
  to.queueMs += more.queueMs;
  to.computeMs += more.computeMs;
  to.machineMs += more.machineMs;
}

/** The UTC day of a time in ms since 1970, such as `2026-11-20`. Daily budgets reset with it. */
export function utcDay(time: number): string {
  if (time < lastDay.from || time >= lastDay.from + DAY) {
    const from = time - (time % DAY);
    lastDay = { from, name: new Date(from).toISOString().slice(0, 10) };
  }
  return lastDay.name;
}

/** Cached, as nearly all calls are for the same day. */
let lastDay = { from: 0, name: '1970-01-01' };
