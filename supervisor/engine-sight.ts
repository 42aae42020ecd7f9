import { ask } from '../health/ask.ts';
import type { Backend } from '../health/backend.ts';

/** What one look at a llama-server tells of its work. */
export type EngineSight =
  /** `done` grows with every batch it has computed, also inside a long prompt. */
  | { readonly seen: 'work'; readonly busySlots: number; readonly done: number }
  /** loading: the model is not there · alive: only `/health` answers · blind: it does not count · nothing: no answer. */
  | { readonly seen: 'loading' | 'alive' | 'blind' | 'nothing' };

/**
 * Looks at llama-server's own counters. `/metrics` passes through its task queue and so tells whether that still turns,
 * which `/health` does not. It wakes no sleeping model, and keeps none awake (builds from before August 2026 it does).
 */
export async function lookAtEngine(backend: Backend, timeoutMs: number): Promise<EngineSight> {
  const metrics = await ask(backend, { path: '/metrics', timeoutMs });
  if (metrics.outcome === 'answered') {
    if (metrics.status === 200) return workIn(metrics.body);
    return { seen: metrics.status === 503 ? 'loading' : 'blind' };
  }
  const health = await ask(backend, { path: '/health', timeoutMs });
  if (health.outcome !== 'answered') return { seen: 'nothing' };
  return { seen: health.status === 503 ? 'loading' : 'alive' };
}

const counters = ['n_decode_total', 'tokens_predicted_total', 'prompt_tokens_total'];

function workIn(metrics: string): EngineSight {
  const values = new Map(
    [...metrics.matchAll(/^llamacpp:(\w+) ([\d.e+]+)$/gm)].map(([, name, value]) => [name, Number(value)]),
  );
  const busySlots = values.get('requests_processing');
  if (busySlots === undefined) return { seen: 'blind' };
  return { seen: 'work', busySlots, done: counters.reduce((sum, name) => sum + (values.get(name) ?? 0), 0) };
}
