import type { BenchRequest } from './bench-client.ts';
import type { Prompt } from './prompts.ts';
import type { Conditions } from './report.ts';
import type { Target } from './target.ts';

export type RequestOptions = Pick<Conditions, 'path' | 'model' | 'stream' | 'maxTokens' | 'body'>;

/** Makes the request for a prompt. */
export function createRequestBuilder(
  { basePath }: Pick<Target, 'basePath'>,
  answering: RequestOptions,
  apiKey: string | undefined,
): (prompt: Prompt) => BenchRequest {
  const path = `${basePath}/${answering.path === 'chat' ? 'chat/completions' : 'completions'}`;
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'corral-bench',
    ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
  };
  return (prompt) => ({ path, headers, body: JSON.stringify(requestBody(prompt, answering)) });
}

/** The operator's own fields come last; null takes one of ours out. */
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
