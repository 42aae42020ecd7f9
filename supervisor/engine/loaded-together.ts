import type { MemoryBudget } from '../../models/memory-budget.ts';

/** The most that can be loaded at the same time. */
export interface LoadedTogether {
  /** At least 1. */
  readonly engines: number;
  /** What they take of the memory of the machine; 0 if that of the GPUs is shared out. */
  readonly machineBytes: number;
}

/** A model with engines of our own. */
export interface ModelSize {
  readonly engines: number;
  /** What all its engines together need. */
  readonly bytes: number;
}

/** How many engines fit into the budget, the smallest first, and what the models may take at most. */
export function loadedTogether(models: readonly ModelSize[], budget: MemoryBudget): LoadedTogether {
  const needs = models.flatMap(({ engines, bytes }) =>
    Array.from({ length: engines }, () => bytes / engines),
  );
  let [engines, taken] = [0, 0];
  for (const need of needs.toSorted((a, b) => a - b)) {
    taken += need;
    if (taken > budget.bytes) break;
    engines += 1;
  }
  const total = models.reduce((sum, { bytes }) => sum + bytes, 0);
  return {
    engines: Math.max(engines, 1),
    machineBytes: budget.memory === 'machine' ? Math.min(total, budget.bytes) : 0,
  };
}
