import { createHash } from 'node:crypto';
import { UsageError } from '../run-command.ts';
import type { Conditions } from './report.ts';

/** What is asked: a text, or the messages of a chat. */
export type Prompt = string | readonly unknown[];

/**
 * Reads a file of prompts, one to a line: a text, a JSON string, or an object with `prompt` or `messages`. Errors name the
 * line and not its words.
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

/** Tells whether two runs asked the same. */
export function promptsDigest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}
