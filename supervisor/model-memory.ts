import { availableMemory } from '../models/available-memory.ts';
import { modelFileBytes } from '../models/gguf-file.ts';
import type { ModelRecord, Registry } from '../models/registry.ts';

/** What is known about the memory of a model. */
export interface MemoryUse {
  readonly record: ModelRecord | undefined;
  /** What it took at its last load, in bytes. */
  readonly measuredBytes: number | undefined;
  /** More than this was free when its last load failed for lack of memory. */
  readonly missedBytes: number | undefined;
}

/** What models need, and what all of them together may take, in bytes. */
export class ModelMemory {
  readonly budget: number;

  constructor(budget: number | 'auto') {
    this.budget = budget === 'auto' ? (availableMemory() ?? Number.MAX_SAFE_INTEGER) : budget;
  }

  /** What its operator reserves for it, else what it took at its last load, else an estimate. */
  needOf({ record, measuredBytes, missedBytes = 0 }: MemoryUse): number {
    if (record === undefined) return 0;
    const need = reservedFor(record) ?? measuredBytes ?? estimateNeed(record);
    return Math.max(need, missedBytes);
  }

  /** Models that can never be loaded within the budget. */
  problemsOf({ models }: Registry): string[] {
    const needs = models.map((model) => ({ model, need: reservedFor(model) ?? estimateNeed(model) }));
    const tooLarge = needs.filter(({ need }) => need > this.budget);
    const pinned = needs.filter(({ model }) => model.pin);
    const sum = pinned.reduce((total, { need }) => total + need, 0);
    const budget = `the ${formatBytes(this.budget)} of MEMORY_BUDGET`;
    return [
      ...tooLarge.map(
        ({ model, need }) =>
          `${model.id} needs ${formatBytes(need)}, more than ${budget}; lower its ctx, parallel or replicas, or raise MEMORY_BUDGET`,
      ),
      ...(tooLarge.length === 0 && sum > this.budget
        ? [
            `the pinned models ${pinned.map(({ model }) => model.id).join(', ')} need ${formatBytes(sum)}, more than ${budget}; unpin one, or raise MEMORY_BUDGET`,
          ]
        : []),
    ];
  }

  describeMisfit({ need, available }: { readonly need: number; readonly available: number }): string {
    return `it needs ${formatBytes(need)}, but the pinned models leave ${formatBytes(available)} of the ${formatBytes(this.budget)} of MEMORY_BUDGET; unpin one, lower its ctx or parallel, or raise MEMORY_BUDGET`;
  }
}

function reservedFor({ limits, replicas, source }: ModelRecord): number | undefined {
  if (source.kind === 'backends') return 0;
  return limits.memory === undefined ? undefined : limits.memory * replicas;
}

function estimateNeed({ source, replicas }: ModelRecord): number {
  if (source.kind === 'backends' || source.kind === 'hugging-face') return 0;
  return modelFileBytes(source.path) * 1.2 * replicas;
}

function formatBytes(bytes: number): string {
  const GiB = 1024 ** 3;
  return bytes < GiB ? `${Math.ceil(bytes / 1024 ** 2)} MiB` : `${(bytes / GiB).toFixed(1)} GiB`;
}
