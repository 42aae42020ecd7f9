import { describe, expect, it } from 'vitest';
import { budgetProblems, resolveBudget } from './memory-budget.ts';
import type { MemoryNeed } from './memory-need.ts';
import { parseRegistry } from './parse-registry.ts';

const [MiB, GiB] = [1024 ** 2, 1024 ** 3];

describe('the budget', () => {
  it.each([
    ['auto', { gpuBytes: 80 * GiB, machineBytes: 500 * GiB }, { bytes: 76 * GiB, memory: 'gpu' }],
    ['auto', { gpuBytes: 4 * GiB, machineBytes: 500 * GiB }, { bytes: 3.5 * GiB, memory: 'gpu' }],
    ['auto', { gpuBytes: undefined, machineBytes: 20 * GiB }, { bytes: 18 * GiB, memory: 'machine' }],
    ['auto', { gpuBytes: undefined, machineBytes: 100 * MiB }, { bytes: 0, memory: 'machine' }],
    ['auto', { gpuBytes: undefined, machineBytes: undefined }, undefined],
    [7 * GiB, { gpuBytes: 80 * GiB, machineBytes: undefined }, { bytes: 7 * GiB, memory: 'gpu' }],
    [7 * GiB, { gpuBytes: undefined, machineBytes: undefined }, { bytes: 7 * GiB, memory: 'machine' }],
  ] as const)('%s of %j', (setting, machine, budget) => {
    expect(resolveBudget(setting, machine)).toEqual(budget);
  });
});

describe('what can never fit', () => {
  const need: MemoryNeed = {
    weights: 4 * GiB,
    kvCache: 1.5 * GiB,
    compute: 100 * MiB,
    overhead: 412 * MiB,
    total: 6 * GiB,
    contextTokens: 8192,
  };
  const problems = (budget: number, ...models: readonly object[]) => {
    const written = models.map((fields, index) => ({ id: `m${index}`, file: 'm.gguf', ...fields }));
    const registry = parseRegistry(JSON.stringify({ version: 1, models: written }), '/models');
    return budgetProblems(registry, () => need, { bytes: budget * GiB, memory: 'gpu' });
  };
  const howTo =
    'lower ctx or parallel, choose a smaller quantization, raise MEMORY_BUDGET, or set limits.memory if the estimate is too high';
  const parts = 'weights 4.0 GiB, KV cache 1.5 GiB for 8192 tokens, compute buffers 100.0 MiB';

  it('is nothing if each model fits, though not all at once', () => {
    expect(problems(7, {}, {})).toEqual([]);
  });

  it('is a model that is too large, with the numbers', () => {
    expect(problems(5, { limits: { memory: '1GiB' } }, {})).toEqual([
      `models[1]: "m1" needs 6.0 GiB (${parts}), but MEMORY_BUDGET is 5.0 GiB of GPU memory; ${howTo}`,
    ]);
  });

  it('is a model with too many replicas', () => {
    expect(problems(11, { replicas: 2 })).toEqual([
      `models[0]: "m0" needs 12.0 GiB (${parts} for each of 2 replicas), but MEMORY_BUDGET is 11.0 GiB of GPU memory; ${howTo}`,
    ]);
  });

  it('is a model that pinned ones leave no room for', () => {
    expect(problems(10, { pin: true }, { limits: { memory: '5GiB' } })).toEqual([
      `models[1]: "m1" needs 5.0 GiB, but MEMORY_BUDGET is 10.0 GiB of GPU memory, of which pinned models take 6.0 GiB; ${howTo}`,
    ]);
  });

  it('is too many pinned models', () => {
    expect(problems(11, { pin: true }, { pin: true }, {})).toEqual([
      `the pinned models need 12.0 GiB (m0 6.0 GiB, m1 6.0 GiB), but MEMORY_BUDGET is 11.0 GiB of GPU memory; unpin one, or ${howTo}`,
    ]);
  });

  it('is no model that runs elsewhere', () => {
    expect(problems(1, { file: undefined, backends: ['http://h:1'] })).toEqual([]);
  });
});
