import { basename } from 'node:path';
import type { BackendProps } from '../../health/props.ts';
import type { Key } from '../../keys/key.ts';
import { modelNotAllowed, modelNotFound } from '../errors/catalogue.ts';

export interface ModelNamesOptions {
  readonly names: readonly string[];
  readonly strict: boolean;
  /** Undefined until the backend has reported them. A path in them is never shown to a client. */
  readonly props: () => Pick<BackendProps, 'modelAlias' | 'modelPath'> | undefined;
  /** The names of a router's models, where the backend is a router. */
  readonly routerModels?: () => readonly string[] | undefined;
}

/** The names that are shown to clients; the first one is the main name. */
export interface PublicNames {
  readonly public: readonly string[];
}

/** The names under which this deployment serves its one model, or the models of a router. */
export class ModelNames implements PublicNames {
  readonly #options: ModelNamesOptions;
  #names: readonly string[];

  constructor(options: ModelNamesOptions) {
    this.#options = options;
    this.#names = options.names;
  }

  /** For a model that replaces the one before. */
  setNames(names: readonly string[]): void {
    this.#names = names;
  }

  /** The public names; the first one is the main name. */
  get public(): readonly string[] {
    if (this.#names.length > 0) return this.#names;
    const { props, routerModels } = this.#options;
    const routed = routerModels?.();
    if (routed) return routed;
    const name = props()?.modelAlias ?? props()?.modelPath;
    return name === undefined ? [] : [toPublicName(name)];
  }

  /**
   * The public name of the model that a request names; throws an ApiError where the key may not use it. Unless `STRICT_MODEL`
   * is set, any other name means the one model, or the first of several that the key may use: some clients have a built-in
   * name such as `gpt-4o`.
   */
  resolve(requested: string | undefined, key: Key | undefined): string {
    const names = this.public;
    const isAllowed = (name: string) => !key || key.models.includes('*') || key.models.includes(name);
    const hasSeveral = this.#options.routerModels?.() !== undefined;
    const fallback = (hasSeveral ? names.find(isAllowed) : undefined) ?? names[0] ?? 'default';
    if (requested !== undefined && this.#options.strict && !this.#isKnown(requested))
      throw modelNotFound(requested);
    const name = requested !== undefined && names.includes(requested) ? requested : fallback;
    if (!isAllowed(name)) throw modelNotAllowed(name);
    return name;
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
