import { DAY } from '../../settings/durations.ts';
import { findObjectEnd, readCount, readWord, skipColon } from './scan-json.ts';

/** Tokens of one request as the backend counted them; `cached` is the part of `input` that came from the prompt cache. */
export interface Usage {
  readonly input: number;
  readonly cached: number;
  readonly output: number;
  /** Undefined if the backend did not speculate. */
  readonly drafts?: DraftUsage | undefined;
}

/** Tokens that the backend guessed ahead, and those of them that the model accepted. */
export interface DraftUsage {
  readonly drafted: number;
  readonly accepted: number;
}

/**
 * Reads the token counts from the beginning and the end of a response, of any API. Most responses have llama-server's
 * `timings` near the end, requested or not; `usage` has the names of OpenAI, Responses or Anthropic.
 */
export function readUsage(tail: string): Usage | undefined {
  return readTimings(tail) ?? readUsageObjects(tail);
}

/** Only the last object counts, so the text before it is not searched. */
function readTimings(tail: string): Usage | undefined {
  const at = tail.lastIndexOf(timingsField);
  const from = at + timingsField.length;
  const end = at === -1 ? -1 : findObjectEnd(tail, from);
  if (end === -1) return undefined;
  const read = readCount(tail, '"prompt_n"', from, end);
  const output = readCount(tail, '"predicted_n"', from, end);
  if (read === undefined || output === undefined) return undefined;
  const cached = readCount(tail, '"cache_n"', from, end) ?? 0;
  const usage = { input: cached + read, cached, output };
  const drafted = readCount(tail, '"draft_n"', from, end);
  if (drafted === undefined) return usage;
  return { ...usage, drafts: { drafted, accepted: readCount(tail, '"draft_n_accepted"', from, end) ?? 0 } };
}

/** An Anthropic stream has the input at its beginning and the output at its end: all objects are read, and the last one wins. */
function readUsageObjects(tail: string): Usage | undefined {
  let usage: Usage | undefined;
  let at = tail.indexOf(usageField);
  while (at !== -1) {
    const from = at + usageField.length;
    const end = findObjectEnd(tail, from);
    at = tail.indexOf(usageField, Math.max(from, end));
    if (end === -1) continue;
    const read = (field: string) => readCount(tail, field, from, end);
    const separate = read('"cache_read_input_tokens"');
    const input = read('"prompt_tokens"') ?? read('"input_tokens"');
    const output = read('"completion_tokens"') ?? read('"output_tokens"');
    usage = {
      input: input === undefined ? (usage?.input ?? 0) : input + (separate ?? 0),
      cached: separate ?? read('"cached_tokens"') ?? usage?.cached ?? 0,
      output: output ?? usage?.output ?? 0,
    };
  }
  return usage;
}

/** Why the backend stopped. The search starts at the end of the response. */
export function readFinishReason(tail: string): string | undefined {
  for (let at = tail.length; at >= 0; at -= 1) {
    at = tail.lastIndexOf(reasonField, at);
    const reason = at === -1 ? undefined : readWord(tail, skipColon(tail, at + reasonField.length));
    if (reason !== undefined) return reason;
  }
  return undefined;
}

const timingsField = '"timings":';
const usageField = '"usage":';
/** The end of OpenAI's `finish_reason` and of Anthropic's `stop_reason`. */
const reasonField = '_reason"';

/** The usage of one key, over any number of requests. Times are milliseconds. */
export interface UsageSums {
  requests: number;
  /** Requests with a status of 400 or above, or with a stream that could not be completed. */
  errors: number;
  /** Requests answered from the response cache: they cost no tokens and no time at the backend. */
  cacheHits: number;
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
  cacheHits: 0,
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
  to.cacheHits += more.cacheHits;
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
