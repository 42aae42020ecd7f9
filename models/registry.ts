import { FileError } from '../fs/file-error.ts';

/** What a model answers: chats and completions, embeddings, or rankings of documents. */
export const modelKinds = ['chat', 'embeddings', 'rerank'] as const;
export type ModelKind = (typeof modelKinds)[number];

/** How an engine guesses tokens ahead; `auto` leaves the choice to us. */
export const speculationChoices = ['auto', 'mtp', 'ngram', 'draft', 'off'] as const;
export type SpeculationChoice = (typeof speculationChoices)[number];

/** The models of a deployment and the names that point at them: the content of `models.json`. */
export interface Registry {
  readonly models: readonly ModelRecord[];
  readonly aliases: readonly Alias[];
}

/**
 * A model that the deployment can serve. An undefined field leaves the choice to the variable of the same purpose (`CTX`,
 * `PARALLEL`, `NGL` …).
 */
export interface ModelRecord {
  /** The public name. It is not a file name: it may contain `/` and `:`. */
  readonly id: string;
  readonly source: ModelSource | BackendsSource;
  readonly kind: ModelKind;
  /** Context tokens of one request. */
  readonly ctx: number | 'auto' | undefined;
  /** Slots of each engine. */
  readonly parallel: number | 'auto' | undefined;
  /** Layers on the GPU. */
  readonly ngl: number | 'auto' | undefined;
  /** Further arguments of llama-server, none of them forbidden. */
  readonly args: readonly string[];
  /** An absolute path. */
  readonly mmproj: string | undefined;
  /** The draft model for speculative decoding; an absolute path. */
  readonly draft: string | undefined;
  readonly speculate: SpeculationChoice | undefined;
  /** LoRA adapters, with absolute paths, in the order in which the engine numbers them. */
  readonly adapters: readonly AdapterFile[];
  /** Indexes of the GPUs that the model may use. Replicas share them out in turn. Undefined for all. */
  readonly devices: readonly number[] | undefined;
  /** How many engines serve the model. */
  readonly replicas: number;
  /** Loaded at the start and never unloaded. */
  readonly pin: boolean;
  /** Milliseconds without a request after which the model is unloaded; undefined for never. */
  readonly ttl: number | undefined;
  readonly limits: ModelLimits;
  /** Whether `GET /v1/models` lists it. */
  readonly listed: boolean;
  /** Fields of a request, used where the client sends none. */
  readonly defaults: Readonly<Record<string, unknown>>;
}

/** Where an engine of ours gets the weights. */
export type ModelSource =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'hugging-face'; readonly repo: string }
  /** `path` is where llama-server stores the download. */
  | { readonly kind: 'url'; readonly url: string; readonly path: string };

/** The model is served by engines that run elsewhere; we neither start nor stop them. */
export interface BackendsSource {
  readonly kind: 'backends';
  readonly backends: readonly BackendEntry[];
}

export interface BackendEntry {
  /** `http://host:port` or `unix:/path.sock`. */
  readonly url: string;
  /** The file that contains its API key; an absolute path. */
  readonly keyFile: string | undefined;
}

/** A LoRA adapter of a model. Clients name it after the model: `base:adapter`. */
export interface AdapterFile {
  readonly name: string;
  readonly path: string;
}

/** An undefined limit means that of the variable. */
export interface ModelLimits {
  /** Requests at the model at the same time (`MAX_CONCURRENT_REQUESTS`). */
  readonly concurrent?: number | undefined;
  /** Requests that may wait for the model (`MAX_QUEUE_SIZE`). */
  readonly queueSize?: number | undefined;
  /** Milliseconds that a request may wait (`QUEUE_TIMEOUT`). */
  readonly queueTimeout?: number | undefined;
  /** Milliseconds that a request may take (`REQUEST_TIMEOUT`); 0 is unlimited. */
  readonly requestTimeout?: number | undefined;
  /** Bytes to reserve for each engine, in place of the estimate. */
  readonly memory?: number | undefined;
}

/** A public name that stands for one model, or for several with weights. */
export interface Alias {
  readonly name: string;
  readonly targets: readonly AliasTarget[];
  /** The targets before the last promotion, for a rollback; null if there was none. */
  readonly previous: readonly AliasTarget[] | null;
}

export interface AliasTarget {
  /** The id of a model. */
  readonly model: string;
  /** Its share of the requests is this part of the sum. */
  readonly weight: number;
}

/** `models.json` cannot be used. The message lists all mistakes, each with its place and the fix. */
export class RegistryError extends FileError {
  override readonly name = 'RegistryError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[], options?: ErrorOptions) {
    super(problems.join('; '), options);
    this.problems = problems;
  }
}
