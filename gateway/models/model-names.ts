import { basename } from 'node:path';
import type { BackendProps } from '../../health/props.ts';
import type { Key } from '../../keys/key.ts';
import { modelNotAllowed, modelNotFound } from '../errors/catalogue.ts';

export interface ModelNamesOptions {
  readonly names: readonly string[];
  readonly strict: boolean;
  /** What the backend has told of itself, once it has; its paths never leave this file whole. */
  readonly props: () => Pick<BackendProps, 'modelAlias' | 'modelPath'> | undefined;
  /** Those of a router, where the backend is one. */
  readonly routerModels?: () => readonly string[] | undefined;
}

/** The names under which this deployment serves its one model, or a router its several. */
export class ModelNames {
  readonly #options: ModelNamesOptions;
  #names: readonly string[];

  constructor(options: ModelNamesOptions) {
    this.#options = options;
    this.#names = options.names;
  }

  /** Another model is served from now on. */
  setNames(names: readonly string[]): void {
    this.#names = names;
  }

  /** The public names, the first of them foremost. */
  get public(): readonly string[] {
    if (this.#names.length > 0) return this.#names;
    const { props, routerModels } = this.#options;
    const several = routerModels?.();
    if (several) return several;
    const named = props()?.modelAlias ?? props()?.modelPath;
    return named === undefined ? [] : [toPublicName(named)];
  }

  /**
   * The public name of what a request asks for, as far as the key may have it. Unless `STRICT_MODEL` is set any name
   * means the one model, or the first of several that the key may have: clients come with `gpt-4o` built in.
   */
  resolve(asked: string | undefined, key: Key | undefined): string {
    const names = this.public;
    const isAllowed = (name: string) => !key || key.models.includes('*') || key.models.includes(name);
    const isSeveral = this.#options.routerModels?.() !== undefined;
    const served = (isSeveral ? names.find(isAllowed) : undefined) ?? names[0] ?? 'default';
    if (asked !== undefined && this.#options.strict && !this.#knows(asked)) throw modelNotFound(asked);
    const name = asked !== undefined && names.includes(asked) ? asked : served;
    if (!isAllowed(name)) throw modelNotAllowed(name);
    return name;
  }

  #knows(name: string): boolean {
    const path = this.#options.props()?.modelPath;
    return this.public.includes(name) || (path !== undefined && basename(path) === name);
  }
}

/** The file name without `.gguf` and without the number of a part. */
export function toPublicName(path: string): string {
  return basename(path)
    .replace(/\.gguf$/i, '')
    .replace(/-\d{5}-of-\d{5}$/, '');
}
