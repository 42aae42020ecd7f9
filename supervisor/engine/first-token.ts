import type { Backend } from '../../health/backend.ts';
import { requestBackend } from '../../health/request-backend.ts';

export type FirstTokenResult =
  | { readonly outcome: 'generated' }
  /** The backend serves embeddings or rankings and generates nothing. */
  | { readonly outcome: 'not-applicable' }
  | { readonly outcome: 'failed'; readonly reason: string };

/** Lets the backend generate one token: only that shows that it really works. */
export async function generateFirstToken(backend: Backend, timeoutMs: number): Promise<FirstTokenResult> {
  const body = { prompt: 'Hello', max_tokens: 1, cache_prompt: false };
  const answer = await requestBackend(backend, { path: '/v1/completions', body, timeoutMs });
  if (answer.outcome !== 'responded') return { outcome: 'failed', reason: answer.outcome };
  if (answer.status === 200) return { outcome: 'generated' };
  if (answer.status === 501 || answer.body.includes('not_supported_error'))
    return { outcome: 'not-applicable' };
  return { outcome: 'failed', reason: `status ${answer.status}` };
}
