import type { Backend } from '../../health/backend.ts';
import { requestBackend } from '../../health/request-backend.ts';

/**
 * How many slots the backend holds or owes right now, by its own count.
 * away: there is no engine that could hold any · deaf: it did not say in time · untold: it does not keep count for us
 * (llama-server without `--metrics`).
 */
export type BusySlots = number | 'away' | 'deaf' | 'untold';

/** Passes llama-server's task queue, so the answer is as of between two batches. */
export async function fetchBusySlots(backend: Backend, timeoutMs = 1000): Promise<BusySlots> {
  const answer = await requestBackend(backend, { path: '/metrics', timeoutMs });
  if (answer.outcome !== 'answered') return answer.outcome === 'deaf' ? 'deaf' : 'away';
  // A model that loads: what was there before is gone.
  if (answer.status === 503) return 'away';
  const [processing, deferred] = ['processing', 'deferred'].map((what) => gauge(answer.body, what));
  return processing === undefined ? 'untold' : processing + (deferred ?? 0);
}

function gauge(text: string, what: string): number | undefined {
  const value = new RegExp(`^llamacpp:requests_${what} (\\d+)`, 'm').exec(text)?.[1];
  return value === undefined ? undefined : Number(value);
}
