import type { Backend } from '../../health/backend.ts';
import type { BackendMonitor } from '../../health/backend-monitor.ts';
import { type ModelMeta, readModelMeta } from '../../health/props.ts';

/** Long enough for an engine that is running, and short for a client that waits for a list. */
const TIMEOUT_MS = 1000;
/** The pause before a backend that did not answer is asked again. */
const RETRY_AFTER_MS = 5000;

interface Entry {
  /** Identifies the model and the run of the backend. */
  readonly model: string;
  readonly meta: Promise<ModelMeta | undefined>;
  readonly requestedAt: number;
  isKnown: boolean;
}

/** The metadata of the backend's model, requested on demand and once for each model. */
export class ModelMetaCache {
  readonly #backend: Backend;
  readonly #monitor: BackendMonitor;
  #last: Entry | undefined;

  constructor(backend: Backend, monitor: BackendMonitor) {
    this.#backend = backend;
    this.#monitor = monitor;
  }

  /** Undefined while there is no backend, and where it does not give its metadata. */
  async read(): Promise<ModelMeta | undefined> {
    const { props, status, since } = this.#monitor;
    if (props === undefined) return undefined;
    // While the backend is unreachable, `props` are still those of its last model.
    if (status !== 'ready') return this.#last?.meta;
    const model = JSON.stringify([props.modelPath, props.modelAlias, props.contextPerSlot, since]);
    const last = this.#last;
    const now = performance.now();
    if (last?.model === model && (last.isKnown || now - last.requestedAt < RETRY_AFTER_MS)) return last.meta;
    const entry: Entry = {
      model,
      meta: readModelMeta(this.#backend, TIMEOUT_MS),
      requestedAt: now,
      isKnown: false,
    };
    this.#last = entry;
    const meta = await entry.meta;
    entry.isKnown = meta !== undefined;
    return meta;
  }
}
