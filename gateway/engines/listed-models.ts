import type { Key } from '../../keys/key.ts';
import type { ModelKind } from '../../models/registry.ts';
import { adapterId, mayUseAdapter } from '../models/adapter-names.ts';
import type { ModelInfo } from '../models/model-list.ts';
import type { AliasEntry, ModelDirectory, ModelEntry } from './model-directory.ts';

/** A public name for clients: that of a model, or an alias. */
export interface ListedModel {
  readonly id: string;
  readonly kind: ModelKind;
  /** False for one that can be used, but is not to be found. */
  readonly listed: boolean;
  /** For an adapter, the model that it belongs to. */
  readonly base?: string;
  /** For an alias, that of its main target. */
  readonly info: ModelInfo;
  /** For an alias, where its requests go. */
  readonly targets?: readonly ListedTarget[];
}

export interface ListedTarget {
  readonly model: string;
  readonly weight: number;
}

/** All names that the key may use: the models first. */
export async function listDirectory(
  directory: ModelDirectory,
  key: Pick<Key, 'models'> | undefined,
): Promise<readonly ListedModel[]> {
  const mayUse = (id: string) => !key || key.models.includes('*') || key.models.includes(id);
  const present = directory.models.filter(({ state }) => !state.removed);
  const described = await Promise.all(
    present.map(async (entry) => {
      const { id, adapters } = entry.record;
      const usable = adapters.filter(({ name }) => mayUseAdapter(key, id, name));
      if (!mayUse(id) && usable.length === 0) return [];
      const model = await describeEntry(entry);
      const adapted = usable.map(({ name }) => ({ ...model, id: adapterId(id, name), base: id }));
      return mayUse(id) ? [model, ...adapted] : adapted;
    }),
  );
  const models = described.flat();
  return [...models, ...directory.aliases.flatMap((alias) => describeAlias(alias, models))];
}

async function describeEntry({ record, state, engines }: ModelEntry): Promise<ListedModel> {
  const ready = engines.find(({ monitor }) => monitor.status === 'ready');
  const engine = ready ?? engines[0];
  const props = engine?.monitor.props ?? configuredProps(record.ctx, record.mmproj !== undefined);
  const reported = await engine?.modelMeta.read();
  // Without an engine, its file has the same facts.
  const ofFile = state.meta && { ...(props && { n_ctx: props.contextPerSlot }), ...state.meta };
  const meta = ready === undefined ? (ofFile ?? reported) : (reported ?? ofFile);
  const { id, kind, listed } = record;
  return { id, kind, listed, info: { meta, props, status: state.status } };
}

/** Before the first load; undefined if the engine will decide. */
function configuredProps(ctx: number | 'auto' | undefined, vision: boolean): ModelInfo['props'] {
  return typeof ctx === 'number' ? { contextPerSlot: ctx, modalities: { vision, audio: false } } : undefined;
}

/** Nothing if the key may use none of its targets. A target that gets no requests at present is left out. */
function describeAlias({ name, targets }: AliasEntry, models: readonly ListedModel[]): ListedModel[] {
  const reachable = targets
    .filter(({ effectiveWeight }) => effectiveWeight > 0)
    .toSorted((a, b) => b.effectiveWeight - a.effectiveWeight);
  const usable = reachable.flatMap(({ model: id, effectiveWeight: weight }) => {
    const model = models.find((one) => one.id === id);
    return model === undefined ? [] : [{ model, weight }];
  });
  const [main] = usable;
  if (main === undefined) return [];
  const { kind, info } = main.model;
  const shown = usable.map(({ model, weight }) => ({ model: model.id, weight }));
  return [{ id: name, kind, listed: true, info, targets: shown }];
}
