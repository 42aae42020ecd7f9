import type { Backend } from '../../health/backend.ts';
import { requestBackend } from '../../health/request-backend.ts';

/** The result of one check of a llama-server's work. */
export type EngineActivity =
  | EngineCounters
  /**
   * loading: the model is not loaded · alive: only `/health` responds · unsupported: no counters · silent: it accepts
   * connections and does not respond · unreachable: it accepts none.
   */
  | { readonly state: 'loading' | 'alive' | 'unsupported' | 'silent' | 'unreachable' };

export interface EngineCounters {
  readonly state: 'counted';
  readonly busySlots: number;
  /** Grows with every batch, also inside a long prompt, as long as it is exact. */
  readonly done: number;
  /** llama-server prints six digits: beyond a million batches this number stands still for many of them. */
  readonly isExact: boolean;
  /**
   * The progress of each slot in whole numbers, requested when `done` stands still. Undefined if it was not requested or
   * there was no response; unsupported if this llama-server does not provide it (`--no-slots`).
   */
  readonly slots?: string | 'unsupported' | undefined;
  /** Undefined as long as there were none, and if this llama-server does not count them. */
  readonly drafts?: DraftCounts | undefined;
}

/** Tokens that speculation has guessed since the start of the process, and those of them that the model would have chosen. */
export interface DraftCounts {
  readonly draftTokens: number;
  readonly acceptedTokens: number;
}

/**
 * Reads llama-server's own counters. `/metrics` passes through its task queue and so shows whether that still works,
 * unlike `/health`. It does not wake a sleeping model, and does not keep it awake (builds from before August 2026 it
 * does). `/slots` would; it is requested only from a busy one without progress since `doneBefore`.
 */
export async function readEngineActivity(
  backend: Backend,
  timeoutMs: number,
  doneBefore?: number,
): Promise<EngineActivity> {
  const metrics = await requestBackend(backend, { path: '/metrics', timeoutMs });
  if (metrics.outcome === 'responded') {
    if (metrics.status === 200) return withSlots(parseCounters(metrics.body), backend, timeoutMs, doneBefore);
    return { state: metrics.status === 503 ? 'loading' : 'unsupported' };
  }
  const health = await requestBackend(backend, { path: '/health', timeoutMs });
  if (health.outcome !== 'responded')
    return { state: health.outcome === 'timed-out' ? 'silent' : 'unreachable' };
  return { state: health.status === 503 ? 'loading' : 'alive' };
}

const counters = ['n_decode_total', 'tokens_predicted_total', 'prompt_tokens_total'];
/** The first count that does not fit into six digits. */
const firstInexact = 1_000_000;

function parseCounters(metrics: string): EngineActivity {
  const values = new Map(
    [...metrics.matchAll(/^llamacpp:(\w+) ([\d.e+]+)$/gm)].map(([, name, value]) => [name, Number(value)]),
  );
  const busySlots = values.get('requests_processing');
  if (busySlots === undefined) return { state: 'unsupported' };
  return {
    state: 'counted',
    busySlots,
    done: counters.reduce((sum, name) => sum + (values.get(name) ?? 0), 0),
    isExact: (values.get('n_decode_total') ?? firstInexact) < firstInexact,
    drafts: parseDrafts(values),
  };
}

function parseDrafts(values: ReadonlyMap<string | undefined, number>): DraftCounts | undefined {
  const draftTokens = values.get('spec_decode_num_draft_tokens_total');
  if (!draftTokens) return undefined;
  return { draftTokens, acceptedTokens: values.get('spec_decode_num_accepted_tokens_total') ?? 0 };
}

async function withSlots(
  activity: EngineActivity,
  backend: Backend,
  timeoutMs: number,
  doneBefore: number | undefined,
): Promise<EngineActivity> {
  if (activity.state !== 'counted' || activity.busySlots === 0 || activity.done !== doneBefore)
    return activity;
  const slots = await requestBackend(backend, { path: '/slots', timeoutMs });
  if (slots.outcome !== 'responded') return activity;
  return { ...activity, slots: slots.status === 200 ? parseSlots(slots.body) : 'unsupported' };
}

interface Slot {
  readonly id_task?: unknown;
  readonly n_prompt_tokens_processed?: unknown;
  /** A list of one; an object in older builds. */
  readonly next_token?: { readonly n_decoded?: unknown } | readonly { readonly n_decoded?: unknown }[];
}

/** Only what grows with the work: a slot also shows its sampling settings. */
function parseSlots(body: string): string {
  try {
    const steps = (JSON.parse(body) as readonly Slot[]).map(
      ({ id_task, n_prompt_tokens_processed, next_token }) => [
        id_task,
        n_prompt_tokens_processed,
        [next_token].flat()[0]?.n_decoded,
      ],
    );
    return steps.flat().some((step) => typeof step === 'number') ? JSON.stringify(steps) : 'unsupported';
  } catch {
    return 'unsupported';
  }
}
