import type { Backend } from './backend.ts';
import { requestBackend } from './request-backend.ts';

/** What llama-server tells of its model in `/v1/models`, in its own words. */
export interface ModelMeta {
  readonly n_ctx?: number;
  readonly n_ctx_train?: number;
  readonly n_embd?: number;
  readonly n_vocab?: number;
  readonly n_params?: number;
  /** Bytes. */
  readonly size?: number;
}

const names = ['n_ctx', 'n_ctx_train', 'n_embd', 'n_vocab', 'n_params', 'size'] as const;

/** Wakes no sleeping model. Undefined where the backend does not say, or is no llama-server. */
export async function readModelMeta(backend: Backend, timeoutMs: number): Promise<ModelMeta | undefined> {
  const answer = await requestBackend(backend, { path: '/v1/models', timeoutMs });
  if (answer.outcome !== 'answered' || answer.status !== 200) return undefined;
  try {
    const { data } = JSON.parse(answer.body) as { data?: readonly { meta?: Record<string, unknown> }[] };
    const meta = data?.[0]?.meta;
    return typeof meta === 'object' && meta !== null ? numbersOf(meta) : undefined;
  } catch {
    return undefined;
  }
}

function numbersOf(meta: Readonly<Record<string, unknown>>): ModelMeta {
  return Object.fromEntries(names.map((name) => [name, meta[name]]).filter(([, it]) => Number.isFinite(it)));
}
