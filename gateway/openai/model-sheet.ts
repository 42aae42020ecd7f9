import type { Backend } from '../../health/backend.ts';
import { type ModelMeta, readModelMeta } from '../../health/model-meta.ts';
import type { BackendWatch } from '../../health/watch.ts';

/** Longer than an engine takes that is there, and short for who asks for a list. */
const PATIENCE = 1000;

/** What the model is, asked of its backend when somebody wants to know, and once for each model. */
export class ModelSheet {
  readonly #backend: Backend;
  readonly #watch: BackendWatch;
  #known: { readonly of: string; readonly meta: ModelMeta } | undefined;

  constructor(backend: Backend, watch: BackendWatch) {
    this.#backend = backend;
    this.#watch = watch;
  }

  /** Undefined while there is nobody to ask, and where the backend does not say. */
  async read(): Promise<ModelMeta | undefined> {
    const { facts, standing, since } = this.#watch;
    if (facts === undefined) return undefined;
    const { modelPath, modelAlias, contextPerSlot } = facts;
    const of = JSON.stringify([modelPath, modelAlias, contextPerSlot, standing === 'ready' ? since : 0]);
    if (this.#known?.of === of) return this.#known.meta;
    // One that comes back is the same for as long as its facts are.
    if (standing !== 'ready') return this.#known?.meta;
    const meta = await readModelMeta(this.#backend, PATIENCE);
    if (meta !== undefined) this.#known = { of, meta };
    return meta;
  }
}
