import type { Backend } from '../../health/backend.ts';
import { requestBackend } from '../../health/request-backend.ts';

export type FirstTokenResult =
  | { readonly outcome: 'generated' }
  /** The backend serves embeddings or rankings and generates nothing. */
  | { readonly outcome: 'not-applicable' }
  | { readonly outcome: 'failed'; readonly reason: string };

/** What llama-server says of a model for embeddings or rankings, the second one with a status of 500. */
const generatesNothing = /not_supported_error|context does not (?:support )?logits computation/;

/** Generates one token: only that proves that the backend works. */
export async function generateFirstToken(backend: Backend, timeoutMs: number): Promise<FirstTokenResult> {
  const body = { prompt: 'Hello', max_tokens: 1, cache_prompt: false };
  const response = await requestBackend(backend, { path: '/v1/completions', body, timeoutMs });
  if (response.outcome !== 'responded') return { outcome: 'failed', reason: response.outcome };
  if (response.status === 200) return { outcome: 'generated' };
  if (response.status === 501 || generatesNothing.test(response.body)) return { outcome: 'not-applicable' };
  return { outcome: 'failed', reason: `status ${response.status}` };
}
