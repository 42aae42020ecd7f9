import { basename } from 'node:path';
import type { BackendProps } from '../../health/props.ts';
import type { Key } from '../../keys/key.ts';
import { modelNotAllowed, modelNotFound } from '../errors/catalogue.ts';
import { adapterId, mayUseAdapter, type NamedAdapter, splitAdapterName } from './adapter-names.ts';

export interface ModelNamesOptions {
  readonly names: readonly string[];
  readonly strict: boolean;
  readonly adapters?: readonly string[];
  /** Undefined until the backend has reported them. A path in them is never shown to a client. */
  readonly props: () => Pick<BackendProps, 'modelAlias' | 'modelPath'> | undefined;
  /** The names of a router's models, where the backend is a router. */
  readonly routerModels?: () => readonly string[] | undefined;
}

/** The names that are shown to clients; the first one is the main name. */
export interface PublicNames {
  readonly public: readonly string[];
  /** The adapters of the only model. */
  readonly adapters?: readonly string[];
}

const noModel = { model: undefined, names: [] } as const;

/** The names under which this deployment serves its one model, or the models of a router. */
export class ModelNames implements PublicNames {
  readonly #options: ModelNamesOptions;
  #names: readonly string[];
  #adapters: readonly string[];
  /** Of the model that the backend last reported. */
  #reported: { readonly model: string | undefined; readonly names: readonly string[] } = noModel;

  constructor(options: ModelNamesOptions) {
    this.#options = options;
    this.#names = options.names;
    this.#adapters = options.adapters ?? [];
  }

  /** For a model that replaces the one before. */
  setNames(names: readonly string[], adapters: readonly string[] = []): void {
    this.#names = names;
    this.#adapters = adapters;
  }

  get adapters(): readonly string[] {
    return this.#adapters;
  }

  /** The adapter that a name stands for, of any public name of the model; undefined for the model itself. */
  adapterOf(name: string): string | undefined {
    if (this.#adapters.length === 0) return undefined;
    const { adapter } = splitAdapterName(name, this.public) ?? {};
    return adapter !== undefined && this.#adapters.includes(adapter) ? adapter : undefined;
  }

  /** The public names; the first one is the main name. */
  get public(): readonly string[] {
    if (this.#names.length > 0) return this.#names;
    const { props, routerModels } = this.#options;
    const routed = routerModels?.();
    if (routed) return routed;
    const model = props()?.modelAlias ?? props()?.modelPath;
    if (model !== this.#reported.model)
      this.#reported = model === undefined ? noModel : { model, names: [toPublicName(model)] };
    return this.#reported.names;
  }

  /**
   * The public name of the model that a request names; throws an ApiError where the key may not use it. Unless `STRICT_MODEL`
   * is set, any other name means the one model, or the first of several that the key may use: some clients have a built-in
   * name such as `gpt-4o`.
   */
  resolve(requested: string | undefined, key: Key | undefined): string {
    const names = this.public;
    if (requested !== undefined && this.#adapters.length > 0 && !names.includes(requested)) {
      const named = splitAdapterName(requested, names);
      if (named !== undefined) return this.#resolveAdapter(named, key);
    }
    const isAllowed = (name: string) => !key || key.models.includes('*') || key.models.includes(name);
    const hasSeveral = this.#options.routerModels?.() !== undefined;
    const fallback = (hasSeveral ? names.find(isAllowed) : undefined) ?? names[0] ?? 'default';
    if (requested !== undefined && this.#options.strict && !this.#isKnown(requested))
      throw modelNotFound(requested);
    const name = requested !== undefined && names.includes(requested) ? requested : fallback;
    if (!isAllowed(name)) throw modelNotAllowed(name);
    return name;
  }

  /** Whether requests with this name, or without one, are answered. */
  readonly isServed = (name: string | undefined): boolean => {
    try {
      this.resolve(name, undefined);
      return true;
    } catch {
      return false;
    }
  };

  /** A name that begins like one of an adapter never means the model itself: its answers would look right, and be wrong. */
  #resolveAdapter({ model, adapter }: NamedAdapter, key: Key | undefined): string {
    if (!this.#adapters.includes(adapter)) throw modelNotFound(adapterId(model, adapter));
    if (!mayUseAdapter(key, model, adapter)) throw modelNotAllowed(adapterId(model, adapter));
    return adapterId(model, adapter);
  }

  #isKnown(name: string): boolean {
    const path = this.#options.props()?.modelPath;
    return this.public.includes(name) || (path !== undefined && basename(path) === name);
  }
}

/** The file name of a path, without `.gguf` and the number of a part. */
export function toPublicName(path: string): string {
  return basename(path)
    .replace(/\.gguf$/i, '')
    .replace(/-\d{5}-of-\d{5}$/, '');
}
