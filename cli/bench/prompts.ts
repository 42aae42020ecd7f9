import { createHash } from 'node:crypto';
import { UsageError } from '../run-command.ts';
import type { BenchRequest } from './bench-client.ts';
import type { Conditions } from './report.ts';
import type { Target } from './target.ts';

/** A prompt: text, or the messages of a chat. */
export type Prompt = string | readonly unknown[];

/**
 * Parses a file of prompts, one per line: text, a JSON string, or an object with `prompt` or `messages`. Errors name
 * the line and quote nothing.
 */
export function parsePrompts(text: string, path: Conditions['path']): Prompt[] {
  const lines = text.split(/\r?\n/).map((line, index) => ({ line: line.trim(), number: index + 1 }));
  const prompts = lines
    .filter(({ line }) => line !== '')
    .map(({ line, number }) => {
      const prompt = parseLine(line);
      if (prompt === undefined)
        throw new UsageError(
          `line ${number} of the prompts is neither text nor JSON with prompt or messages`,
        );
      if (typeof prompt !== 'string' && path === 'completions')
        throw new UsageError(
          `line ${number} of the prompts has messages, which --path completions does not support`,
        );
      return prompt;
    });
  if (prompts.length === 0) throw new UsageError('the prompts file is empty');
  return prompts;
}

function parseLine(line: string): Prompt | undefined {
  if (!/^[{"]/.test(line)) return line;
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value === 'string') return value;
  const { prompt, messages } = value as { prompt?: unknown; messages?: unknown };
  if (Array.isArray(messages) && messages.length > 0) return messages;
  return typeof prompt === 'string' ? prompt : undefined;
}

/** Identifies a prompts file. */
export function promptsDigest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}

const words =
  'the river and its old stone bridge were quiet when morning came over green hills while people walked to market with bread apples'.split(
    ' ',
  );

/** The words repeat after this many. */
export const wordListLength = words.length;

/** Tokens of a synthetic prompt: a constant, plus a number per word. */
export interface TokenEstimate {
  readonly base: number;
  readonly perWord: number;
}

/** A prompt with a unique start, so that no prompt cache helps. */
export function syntheticPrompt(number: number, wordCount: number, salt: number): string {
  const chosen = Array.from({ length: wordCount }, (_, n) => words[(number + n) % words.length]);
  return [`${(salt + number).toString(36)}:`, ...chosen].join(' ');
}

/** Computed from two prompts of different length; one token per word if the counts make no sense. */
export function fitTokens(
  shorter: { readonly words: number; readonly tokens: number },
  longer: { readonly words: number; readonly tokens: number },
): TokenEstimate {
  const perWord = (longer.tokens - shorter.tokens) / (longer.words - shorter.words);
  if (!(perWord > 0)) return { base: 0, perWord: 1 };
  return { base: Math.max(0, shorter.tokens - perWord * shorter.words), perWord };
}

/** The number of words for a number of tokens. */
export function wordsFor(tokens: number, { base, perWord }: TokenEstimate): number {
  return Math.max(0, Math.round((tokens - base) / perWord));
}

export type RequestOptions = Pick<Conditions, 'path' | 'model' | 'stream' | 'maxTokens' | 'body'>;

/** Creates the request for a prompt. */
export function createRequestBuilder(
  { basePath }: Pick<Target, 'basePath'>,
  options: RequestOptions,
  apiKey: string | undefined,
): (prompt: Prompt) => BenchRequest {
  const path = `${basePath}/${options.path === 'chat' ? 'chat/completions' : 'completions'}`;
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'corral-bench',
    ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
  };
  return (prompt) => ({ path, headers, body: JSON.stringify(requestBody(prompt, options)) });
}

/** The fields of --body come last; null removes a field. */
export function requestBody(
  prompt: Prompt,
  { path, model, stream, maxTokens, body }: RequestOptions,
): Record<string, unknown> {
  const messages = typeof prompt === 'string' ? [{ role: 'user', content: prompt }] : prompt;
  const all = {
    model,
    ...(path === 'chat' ? { messages } : { prompt }),
    max_tokens: maxTokens,
    ...(stream ? { stream, stream_options: { include_usage: true } } : {}),
    ...body,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null));
}
