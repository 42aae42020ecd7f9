import type { Backend } from '../../health/backend.ts';
import { requestBackend } from '../../health/request-backend.ts';

/** What one look at a llama-server tells of its work. */
export type EngineActivity =
  | EngineCounters
  /** loading: the model is not there · alive: only `/health` answers · blind: it does not count · nothing: no answer. */
  | { readonly seen: 'loading' | 'alive' | 'blind' | 'nothing' };

export interface EngineCounters {
  readonly seen: 'work';
  readonly busySlots: number;
  /** Grows with every batch it has computed, also inside a long prompt, as long as it is exact. */
  readonly done: number;
  /** llama-server prints six digits: beyond a million batches, one that works stands still here for many of them. */
  readonly isExact: boolean;
  /**
   * How far each slot is, in whole numbers; asked where `done` stands still. Undefined where it was not asked or did not
   * answer; untold where this llama-server does not tell (`--no-slots`).
   */
  readonly slots?: string | 'untold' | undefined;
}

/**
 * Looks at llama-server's own counters. `/metrics` passes through its task queue and so tells whether that still turns,
 * which `/health` does not. It wakes no sleeping model, and keeps none awake (builds from before August 2026 it does).
 * `/slots`, which would, is asked only of a busy one that has not moved since `doneBefore`.
 */
export async function readEngineActivity(
  backend: Backend,
  timeoutMs: number,
  doneBefore?: number,
): Promise<EngineActivity> {
  const metrics = await requestBackend(backend, { path: '/metrics', timeoutMs });
  if (metrics.outcome === 'answered') {
    if (metrics.status === 200) return closerLook(workIn(metrics.body), backend, timeoutMs, doneBefore);
    return { seen: metrics.status === 503 ? 'loading' : 'blind' };
  }
  const health = await requestBackend(backend, { path: '/health', timeoutMs });
  if (health.outcome !== 'answered') return { seen: 'nothing' };
  return { seen: health.status === 503 ? 'loading' : 'alive' };
}

const counters = ['n_decode_total', 'tokens_predicted_total', 'prompt_tokens_total'];
/** The first count that six digits do not hold. */
const firstInexact = 1_000_000;

function workIn(metrics: string): EngineActivity {
  const values = new Map(
    [...metrics.matchAll(/^llamacpp:(\w+) ([\d.e+]+)$/gm)].map(([, name, value]) => [name, Number(value)]),
  );
  const busySlots = values.get('requests_processing');
  if (busySlots === undefined) return { seen: 'blind' };
  return {
    seen: 'work',
    busySlots,
    done: counters.reduce((sum, name) => sum + (values.get(name) ?? 0), 0),
    isExact: (values.get('n_decode_total') ?? firstInexact) < firstInexact,
  };
}

async function closerLook(
  sight: EngineActivity,
  backend: Backend,
  timeoutMs: number,
  doneBefore: number | undefined,
): Promise<EngineActivity> {
  if (sight.seen !== 'work' || sight.busySlots === 0 || sight.done !== doneBefore) return sight;
  const slots = await requestBackend(backend, { path: '/slots', timeoutMs });
  if (slots.outcome !== 'answered') return sight;
  return { ...sight, slots: slots.status === 200 ? slotsIn(slots.body) : 'untold' };
}

interface Slot {
  readonly id_task?: unknown;
  readonly n_prompt_tokens_processed?: unknown;
  /** A list of one; an object in older builds. */
  readonly next_token?: { readonly n_decoded?: unknown } | readonly { readonly n_decoded?: unknown }[];
}

/** Only what grows with the work: a slot tells its sampling, too. */
function slotsIn(body: string): string {
  try {
    const steps = (JSON.parse(body) as readonly Slot[]).map(
      ({ id_task, n_prompt_tokens_processed, next_token }) => [
        id_task,
        n_prompt_tokens_processed,
        [next_token].flat()[0]?.n_decoded,
      ],
    );
    return steps.flat().some((step) => typeof step === 'number') ? JSON.stringify(steps) : 'untold';
  } catch {
    return 'untold';
  }
}
