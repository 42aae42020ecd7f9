import type { AliasState } from '../health/supervisor-messages.ts';
import { resolveSpeculation, type SpeculationMethod } from '../models/speculation.ts';
import type { EngineOptions } from './engine/llama-arguments.ts';
import type { Engine } from './engine.ts';
import { PastCounts } from './model-counts.ts';
import type { ServedModel } from './served-model.ts';

/** The details of `/status` about models and engines. The fields beside `models` are those of the only model. */
export function modelsDetails(
  models: readonly ServedModel[],
  aliases: readonly AliasState[],
  memory: MemoryReport | undefined,
) {
  const past = memory?.past ?? nothingBefore;
  const engines = models.flatMap((model) => model.engines);
  const running = engines.filter(({ process }) => process !== undefined);
  const replacements = engines.flatMap(({ replacement }) => replacement ?? []);
  const [first] = models;
  return {
    sleeping: running.length > 0 && running.every(({ isSleeping }) => isSleeping),
    model: models.length === 1 ? first?.id : null,
    restart: replacements.toSorted((a, b) => a.since.localeCompare(b.since)).at(-1) ?? null,
    models: models.map((model) => describeModel(model, memory, past)),
    ...(memory && { aliases, memory: { budget: memory.budget } }),
  };
}

export interface MemoryReport {
  readonly past: PastCounts;
  /** What all models together may take, in bytes. */
  readonly budget: number;
  /** The memory that a model takes or would take, in bytes; undefined if it is unknown. */
  memoryOf(model: string): number | undefined;
}

/** With one model, nothing was before. */
const nothingBefore = new PastCounts();

function describeModel(model: ServedModel, memory: MemoryReport | undefined, past: PastCounts) {
  const { id, status, pin, removed, loadProgress, failure } = model.state;
  return {
    ...{ id, status, pin, loadProgress, failure },
    ...(removed && { removed }),
    memory: memory?.memoryOf(id) ?? null,
    ...past.totalOf(model),
    engines: model.engines.map((engine) => ({
      id: engine.id,
      status: engine.state.status,
      slots: engine.state.slots,
      ...describeSpeculation(engine),
      loadProgress: engine.state.loadProgress,
      loadTimeMs: engine.bootTimes.loaded ?? null,
      lastCrash: engine.crashes.last ?? null,
      restart: engine.replacement ?? null,
    })),
  };
}

/** By options: the file of the model has to be read for it. */
const methods = new WeakMap<EngineOptions, SpeculationMethod>();

/** An empty object if it does not speculate, or has not loaded its model yet. */
function describeSpeculation({ config: { engine }, drafts, props }: Engine) {
  if (props === undefined) return {};
  const method = methods.get(engine) ?? resolveSpeculation(engine).method;
  methods.set(engine, method);
  return method === 'off' ? {} : { speculation: { method, ...drafts } };
}
