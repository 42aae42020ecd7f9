import { expect, it } from 'vitest';
import { loadedTogether } from './loaded-together.ts';

const models = (...sizes: readonly (readonly [engines: number, bytes: number])[]) =>
  sizes.map(([engines, bytes]) => ({ engines, bytes }));

it.each([
  { of: models([1, 5], [1, 2], [1, 2]), budget: 9, engines: 3, machineBytes: 9 },
  { of: models([1, 5], [1, 2], [1, 2]), budget: 8, engines: 2, machineBytes: 8 },
  { of: models([1, 5], [1, 5]), budget: 9, engines: 1, machineBytes: 9 },
  { of: models([3, 6], [1, 5]), budget: 12, engines: 4, machineBytes: 11 },
  { of: models([1, 20]), budget: 9, engines: 1, machineBytes: 9 },
  { of: models([0, 0]), budget: 9, engines: 1, machineBytes: 0 },
])('as many engines are loaded together as fit, replicas too: %j', ({ of, budget, ...expected }) => {
  expect(loadedTogether(of, { bytes: budget, memory: 'machine' })).toEqual(expected);
});

it('models in the memory of GPUs take nothing of that of the machine', () => {
  const budget = { bytes: 9, memory: 'gpu' } as const;
  expect(loadedTogether(models([1, 5], [1, 2]), budget)).toEqual({ engines: 2, machineBytes: 0 });
});
