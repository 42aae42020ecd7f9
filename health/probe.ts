import type { Backend } from './backend.ts';
import { requestBackend } from './request-backend.ts';

/**
 * What one look at `/health` tells.
 * unreachable: nobody listens, or what listens is no llama-server · loading: bound, the model is not there yet ·
 * ready: it serves · deaf: somebody holds the address and says nothing in time.
 */
export type ProbeResult = 'unreachable' | 'loading' | 'ready' | 'deaf';

/** Asks `/health` once; never throws. It needs no key and does not pass llama-server's task queue. */
export async function probe(backend: Backend, timeoutMs = 1000): Promise<ProbeResult> {
  const answer = await requestBackend(backend, { path: '/health', timeoutMs });
  if (answer.outcome !== 'answered') return answer.outcome;
  if (answer.status === 200) return 'ready';
  return answer.status === 503 ? 'loading' : 'unreachable';
}
