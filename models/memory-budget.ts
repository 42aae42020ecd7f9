import { formatBytes, MiB } from '../settings/sizes.ts';
import type { MemoryNeed } from './memory-need.ts';
import type { ModelRecord, Registry } from './registry.ts';

/** The memory that all models share. */
export interface MemoryBudget {
  readonly bytes: number;
  /** Which memory it is: the needs of the models are counted in the same. */
  readonly memory: 'gpu' | 'machine';
}

interface MachineMemory {
  /** Bytes of all GPUs together; undefined without one. */
  readonly gpuBytes: number | undefined;
  /** Bytes that the machine has available; undefined if unknown. */
  readonly machineBytes: number | undefined;
}

/** What `auto` leaves to others and to estimates that are too low. */
const margins = { gpu: { share: 0.05, least: 512 * MiB }, machine: { share: 0.1, least: 512 * MiB } };

/** The value of `MEMORY_BUDGET` for this machine; undefined if it is `auto` and nothing is known. */
export function resolveBudget(
  setting: number | 'auto',
  { gpuBytes, machineBytes }: MachineMemory,
): MemoryBudget | undefined {
  const memory = gpuBytes === undefined ? 'machine' : 'gpu';
  if (setting !== 'auto') return { bytes: setting, memory };
  const bytes = gpuBytes ?? machineBytes;
  if (bytes === undefined) return undefined;
  const { share, least } = margins[memory];
  return { bytes: Math.max(0, Math.floor(bytes - Math.max(least, bytes * share))), memory };
}

/** What each engine of a model takes; undefined if that is not known yet. */
export type NeedOf = (model: ModelRecord) => MemoryNeed | undefined;

/** The bytes of all engines of a model: those set in its limits, else the estimate. Undefined if unknown. */
export function needInAll(model: ModelRecord, needOf: NeedOf): number | undefined {
  if (model.source.kind === 'backends') return 0;
  const each = model.limits.memory ?? needOf(model)?.total;
  return each === undefined ? undefined : each * model.replicas;
}

/** The models that can never be loaded, each with its place in `models.json` and the numbers. */
export function budgetProblems({ models }: Registry, needOf: NeedOf, budget: MemoryBudget): string[] {
  const needs = models.map((model) => needInAll(model, needOf) ?? 0);
  const pinned = models.flatMap((model, index) => (model.pin ? [{ model, need: needs[index] ?? 0 }] : []));
  const pinnedBytes = pinned.reduce((sum, { need }) => sum + need, 0);
  if (pinnedBytes > budget.bytes && pinned.length > 1) {
    const shown = pinned.map(({ model, need }) => `${model.id} ${formatBytes(need)}`).join(', ');
    return [
      `the pinned models need ${formatBytes(pinnedBytes)} (${shown}), but ${describe(budget)}; unpin one, or ${howToShrink}`,
    ];
  }
  return models.flatMap((model, index) => {
    const need = needs[index] ?? 0;
    const left = model.pin ? budget.bytes : budget.bytes - pinnedBytes;
    if (need <= left) return [];
    const beside =
      model.pin || pinnedBytes === 0 ? '' : `, of which pinned models take ${formatBytes(pinnedBytes)}`;
    const parts = model.limits.memory === undefined ? describeNeed(needOf(model), model.replicas) : '';
    return [
      `models[${index}]: "${model.id}" needs ${formatBytes(need)}${parts}, but ${describe(budget)}${beside}; ${howToShrink}`,
    ];
  });
}

const howToShrink =
  'lower ctx or parallel, choose a smaller quantization, raise MEMORY_BUDGET, or set limits.memory if the estimate is too high';

function describe({ bytes, memory }: MemoryBudget): string {
  return `MEMORY_BUDGET is ${formatBytes(bytes)}${memory === 'gpu' ? ' of GPU memory' : ''}`;
}

function describeNeed(need: MemoryNeed | undefined, replicas: number): string {
  if (need === undefined) return '';
  const { weights, kvCache, compute, contextTokens } = need;
  const each = replicas === 1 ? '' : ` for each of ${replicas} replicas`;
  return ` (weights ${formatBytes(weights)}, KV cache ${formatBytes(kvCache)} for ${contextTokens} tokens, compute buffers ${formatBytes(compute)}${each})`;
}
