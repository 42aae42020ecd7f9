import type { Backend } from '../../health/backend.ts';
import type { BackendMonitor } from '../../health/backend-monitor.ts';
import { type ModelMeta, readModelMeta } from '../../health/model-meta.ts';

/** Longer than an engine takes that is there, and short for who asks for a list. */
const PATIENCE = 1000;
/** How long one that did not say is not asked again. */
const PAUSE = 5000;

interface Reading {
  /** The model and the life of the backend that it is of. */
  readonly of: string;
  readonly meta: Promise<ModelMeta | undefined>;
  readonly at: number;
  isKnown: boolean;
}

/** What the model is, asked of its backend when somebody wants to know, and once for each model. */
export class ModelMetaCache {
  readonly #backend: Backend;
  readonly #watch: BackendMonitor;
  #last: Reading | undefined;

  constructor(backend: Backend, watch: BackendMonitor) {
    this.#backend = backend;
    this.#watch = watch;
  }

  /** Undefined while there is nobody to ask, and where the backend does not say. */
  async read(): Promise<ModelMeta | undefined> {
    const { props, status, since } = this.#watch;
    if (props === undefined) return undefined;
    // While it is away its facts are still those of the model that was read last.
    if (status !== 'ready') return this.#last?.meta;
    const of = JSON.stringify([props.modelPath, props.modelAlias, props.contextPerSlot, since]);
    const last = this.#last;
    const now = performance.now();
    if (last?.of === of && (last.isKnown || now - last.at < PAUSE)) return last.meta;
    const reading: Reading = { of, meta: readModelMeta(this.#backend, PATIENCE), at: now, isKnown: false };
    this.#last = reading;
    const meta = await reading.meta;
    reading.isKnown = meta !== undefined;
    return meta;
  }
}
