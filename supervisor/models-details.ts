import type { ServedModel } from './served-model.ts';

/** The details of `/status` about models and engines. The fields beside `models` are those of the only model. */
export function modelsDetails(models: readonly ServedModel[], memory: MemoryReport | undefined) {
  const engines = models.flatMap((model) => model.engines);
  const running = engines.filter(({ process }) => process !== undefined);
  const replacements = engines.flatMap(({ replacement }) => replacement ?? []);
  const [first] = models;
  return {
    sleeping: running.length > 0 && running.every(({ isSleeping }) => isSleeping),
    model: models.length === 1 ? first?.id : null,
    restart: replacements.toSorted((a, b) => a.since.localeCompare(b.since)).at(-1) ?? null,
    models: models.map((model) => describeModel(model, memory)),
    ...(memory && { memory: { budget: memory.budget } }),
  };
}

export interface MemoryReport {
  /** What all models together may take, in bytes. */
  readonly budget: number;
  /** The memory that a model takes or would take, in bytes; undefined if it is unknown. */
  memoryOf(model: string): number | undefined;
}

function describeModel(model: ServedModel, memory: MemoryReport | undefined) {
  const { id, status, pin, removed, loadProgress, failure } = model.state;
  return {
    ...{ id, status, pin, loadProgress, failure },
    ...(removed && { removed }),
    memory: memory?.memoryOf(id) ?? null,
    crashes: sumOf(model.engines.map(({ crashes }) => crashes.counts)),
    restarts: model.engines.reduce((sum, { restarts }) => sum + restarts, 0),
    ...tallyOf(model),
    engines: model.engines.map((engine) => ({
      id: engine.id,
      status: engine.state.status,
      slots: engine.state.slots,
      loadProgress: engine.state.loadProgress,
      loadTimeMs: engine.bootTimes.loaded ?? null,
      lastCrash: engine.crashes.last ?? null,
      restart: engine.replacement ?? null,
    })),
  };
}

/** Of all its engines together. */
function tallyOf({ engines }: ServedModel) {
  const sum = { loads: 0, loadSeconds: 0, unloads: 0 };
  for (const { tally } of engines) {
    sum.loads += tally.loads;
    sum.loadSeconds += tally.loadMs / 1000;
    sum.unloads += tally.unloads;
  }
  return sum;
}

function sumOf(counts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const count of counts)
    for (const [name, value] of Object.entries(count)) sum[name] = (sum[name] ?? 0) + value;
  return sum;
}
