import type { Question } from './asker.ts';
import type { Prompt } from './prompts.ts';
import type { Conditions } from './report.ts';
import type { Target } from './target.ts';

export type Answering = Pick<Conditions, 'path' | 'model' | 'stream' | 'maxTokens' | 'body'>;

/** Makes the request for a prompt. */
export function questioner(
  { basePath }: Pick<Target, 'basePath'>,
  answering: Answering,
  apiKey: string | undefined,
): (prompt: Prompt) => Question {
  const path = `${basePath}/${answering.path === 'chat' ? 'chat/completions' : 'completions'}`;
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'corral-bench',
    ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
  };
  return (prompt) => ({ path, headers, body: JSON.stringify(bodyOf(prompt, answering)) });
}

/** The operator's own fields come last; null takes one of ours out. */
export function bodyOf(
  prompt: Prompt,
  { path, model, stream, maxTokens, body }: Answering,
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
