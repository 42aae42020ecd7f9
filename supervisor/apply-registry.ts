import type { ModelRecord, Registry } from '../models/registry.ts';
import type { ModelFactory } from './model-factory.ts';
import { recordChange } from './registry-changes.ts';
import type { ServedModel } from './served-model.ts';

/**
 * Brings the models in line with the registry, and returns those from now on, in its order. Each model takes up its changes
 * as soon as nothing else is under way at it: call this again after each change.
 */
export function applyRegistry(
  models: readonly ServedModel[],
  registry: Registry,
  factory: Pick<ModelFactory, 'create' | 'configOf'>,
): readonly ServedModel[] {
  const records = new Map(registry.models.map((record) => [record.id, record]));
  for (const model of models) {
    const record = records.get(model.id);
    const isOther = record && model.record && recordChange(model.record, record) === 'rebuild';
    if (record === undefined || isOther || model.isRemoved) remove(model);
    else adopt(model, record, factory);
  }
  const kept = models.filter(({ isRemoved, isResident }) => !isRemoved || isResident);
  for (const model of kept) model.isReturning = model.isRemoved && records.has(model.id);
  const keptById = new Map(kept.map((model) => [model.id, model]));
  const beforeById = new Map(models.map((model) => [model.id, model]));
  const listed = registry.models.map(
    (record) => keptById.get(record.id) ?? create(record, beforeById.get(record.id), factory),
  );
  return [...listed, ...kept.filter(({ id }) => !records.has(id))];
}

/** `before`: the model of this id whose engines have stopped. */
function create(
  record: ModelRecord,
  before: ServedModel | undefined,
  factory: Pick<ModelFactory, 'create'>,
): ServedModel {
  const model = factory.create(record, false);
  if (before) model.usage = before.usage;
  return model;
}

/** Its engines drain first. One that loads may have requests, too: the gateway can see before us that it is ready. */
function remove(model: ServedModel): void {
  model.isRemoved = true;
  for (const engine of model.engines) engine.unload();
}

function adopt(model: ServedModel, record: ModelRecord, factory: Pick<ModelFactory, 'configOf'>): void {
  model.record = record;
  for (const [replica, engine] of model.engines.entries()) {
    const applied = model.applied.get(engine) ?? record;
    if (applied === record) continue;
    if (recordChange(applied, record) === 'restart') {
      model.measuredBytes = undefined;
      model.missedBytes = undefined;
      model.isSecondAttempt = false;
      if (engine.isUnloading) continue;
      if (engine.status === 'loading' && !engine.isReplacing) {
        engine.unload();
        continue;
      }
      if (!engine.reconfigure(factory.configOf(record, replica))) continue;
    }
    model.applied.set(engine, record);
  }
}
