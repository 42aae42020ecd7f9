import type { Backend, BackendStatus } from '../../health/backend.ts';
import type { BackendMonitor } from '../../health/backend-monitor.ts';
import { type BackendProps, type ModelMeta, readModelMeta } from '../../health/props.ts';
import type { ModelStatus } from '../../health/supervisor-messages.ts';
import type { ModelKind } from '../../models/registry.ts';
import { invalidValue } from '../errors/catalogue.ts';

/** What is known of a model that clients may name. */
export interface ModelInfo {
  readonly meta: ModelMeta | undefined;
  readonly props: Pick<BackendProps, 'contextPerSlot' | 'modalities'> | undefined;
  readonly status: ModelStatus;
}

export function getModelStatus(
  status: BackendStatus,
  props: Pick<BackendProps, 'sleeping'> | undefined,
): ModelStatus {
  if (status === 'failed') return 'failed';
  if (status !== 'ready' && status !== 'draining') return 'loading';
  return props?.sleeping === true ? 'sleeping' : 'loaded';
}

/** When this process started, seconds. A model needs a date that is the same in every response. */
const startedAt = Math.floor(Date.now() / 1000);

/** What a model gives, in the terms of model lists: OpenRouter's modalities and Ollama's capabilities. */
const outputs = {
  chat: { modality: 'text', capability: 'completion' },
  embeddings: { modality: 'embeddings', capability: 'embedding' },
  rerank: { modality: 'rerank', capability: 'rerank' },
} as const satisfies Record<ModelKind, object>;

/** OpenAI's four fields, and those in which clients of other servers look for a model's context size and inputs. */
export function describeModel(id: string, kind: ModelKind, { meta, props, status }: ModelInfo) {
  return {
    ...{ id, object: 'model', created: startedAt, owned_by: 'llama-corral' },
    ...(meta && { meta }),
    ...(props && {
      context_length: props.contextPerSlot,
      architecture: { input_modalities: listInputs(props), output_modalities: [outputs[kind].modality] },
    }),
    status,
  };
}

function listInputs({ modalities }: Pick<BackendProps, 'modalities'>): readonly string[] {
  const { vision, audio, video = false } = modalities;
  return ['text', ...(vision ? ['image'] : []), ...(audio ? ['audio'] : []), ...(video ? ['video'] : [])];
}

/** A model in Ollama's format, which llama-server's list has beside OpenAI's. llama-server leaves the same fields empty. */
export function ollamaModelEntry(id: string, kind: ModelKind, { props }: ModelInfo) {
  const { vision = false, audio = false } = props?.modalities ?? {};
  return {
    ...{ name: id, model: id, modified_at: '', size: '', digest: '', type: 'model' },
    ...{ description: '', tags: [''], parameters: '' },
    capabilities: [outputs[kind].capability, ...(vision || audio ? ['multimodal'] : [])],
    details: {
      ...{ parent_model: '', format: 'gguf', family: '', families: [''] },
      ...{ parameter_size: '', quantization_level: '' },
    },
  };
}

/** A model in the format of Anthropic's API. */
export function anthropicModel(id: string, { props }: ModelInfo) {
  const context = props?.contextPerSlot ?? null;
  return {
    ...{ type: 'model', id, display_name: id, created_at: new Date(startedAt * 1000).toISOString() },
    ...{ max_input_tokens: context, max_tokens: context, capabilities: null },
    ...{ lifecycle: 'active', deprecated_at: null, retires_at: null, line: null },
  };
}

export interface ModelPageQuery {
  readonly limit?: string;
  readonly after_id?: string;
  readonly before_id?: string;
}

const DEFAULT_PAGE = 20;
const MAX_PAGE = 1000;

export interface NamedModel {
  readonly id: string;
  readonly info: ModelInfo;
}

/** One page of Anthropic's list of models. */
export function anthropicModelPage(models: readonly NamedModel[], query: ModelPageQuery) {
  const limit = query.limit === undefined ? DEFAULT_PAGE : Number(query.limit);
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_PAGE)
    throw invalidValue('limit', `an integer from 1 to ${MAX_PAGE}`, limit);
  const { after_id, before_id } = query;
  const ids = models.map(({ id }) => id);
  const from = after_id === undefined ? 0 : findIndex(ids, 'after_id', after_id) + 1;
  const to = before_id === undefined ? ids.length : findIndex(ids, 'before_id', before_id);
  const between = models.slice(from, to);
  // Read backwards, a page ends right before `before_id`.
  const page =
    after_id === undefined && before_id !== undefined ? between.slice(-limit) : between.slice(0, limit);
  return {
    data: page.map(({ id, info }) => anthropicModel(id, info)),
    has_more: page.length < between.length,
    first_id: page[0]?.id ?? null,
    last_id: page.at(-1)?.id ?? null,
  };
}

function findIndex(ids: readonly string[], name: string, id: string): number {
  const index = ids.indexOf(id);
  if (index === -1) throw invalidValue(name, 'the id of a model in this list');
  return index;
}

/** Long enough for an engine that is running, and short for a client that waits for a list. */
const META_TIMEOUT_MS = 1000;
/** The pause before a backend that did not respond is asked again. */
const META_RETRY_MS = 5000;

interface MetaEntry {
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
  #last: MetaEntry | undefined;

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
    if (last?.model === model && (last.isKnown || now - last.requestedAt < META_RETRY_MS)) return last.meta;
    const entry: MetaEntry = {
      model,
      meta: readModelMeta(this.#backend, META_TIMEOUT_MS),
      requestedAt: now,
      isKnown: false,
    };
    this.#last = entry;
    const meta = await entry.meta;
    entry.isKnown = meta !== undefined;
    return meta;
  }
}
