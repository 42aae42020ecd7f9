import type { Key } from '../../keys/key.ts';
import type { ModelRecord } from '../../models/registry.ts';

/** The public name of an adapter of a model. */
export const adapterId = (model: string, adapter: string) => `${model}:${adapter}`;

/** A right to a model is none to its adapters: `model:adapter` names one of them, `model:*` all. */
export function mayUseAdapter(key: Pick<Key, 'models'> | undefined, model: string, adapter: string): boolean {
  const { models } = key ?? { models: ['*'] };
  return ['*', adapterId(model, '*'), adapterId(model, adapter)].some((name) => models.includes(name));
}

export interface NamedAdapter {
  readonly model: string;
  readonly adapter: string;
}

/** What an id says of an adapter; undefined if it is that of a model, or unknown. */
export function findAdapter(
  models: readonly Pick<ModelRecord, 'id' | 'adapters'>[],
  id: string,
): NamedAdapter | undefined {
  for (const { id: model, adapters } of models)
    for (const { name } of adapters) if (adapterId(model, name) === id) return { model, adapter: name };
  return undefined;
}

/** What a requested name says of an adapter of one of these models; undefined if it does not begin like one. */
export function splitAdapterName(name: string, models: readonly string[]): NamedAdapter | undefined {
  const model = models.find((one) => name.startsWith(`${one}:`));
  return model === undefined ? undefined : { model, adapter: name.slice(model.length + 1) };
}

/**
 * The members of a request by which llama-server applies one of its adapters, or none. All of them are named: where a
 * request says nothing, llama-server would let it use what it has read with another adapter.
 */
export function adapterMembers(adapters: readonly string[], wanted: string | undefined): string {
  const scales = adapters.map((name, id) => `{"id":${id},"scale":${name === wanted ? 1 : 0}}`);
  return `"lora":[${scales.join(',')}]`;
}
