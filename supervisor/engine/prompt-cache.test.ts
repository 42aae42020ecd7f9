import { expect, it } from 'vitest';
import { promptCacheMiB } from './prompt-cache.ts';

const GiB = 1024 ** 3;
const cacheOf = (spare: number | undefined, model: number, ...extraArgs: string[]) =>
  promptCacheMiB({
    extraArgs,
    availableMemory: spare === undefined ? undefined : spare * GiB,
    modelBytes: model * GiB,
  });

it.each([
  { spare: 8, model: 4, expected: 1024 },
  { spare: 4, model: 0.5, expected: 896 },
  { spare: 8, model: 7.9, expected: 512 },
  { spare: 16, model: 24, expected: 1024 },
  { spare: 0, model: 1, expected: 0 },
])('the prompt cache gets a part of the memory that the model leaves: %j', ({ spare, model, expected }) => {
  expect(cacheOf(spare, model)).toBe(expected);
});

it.each([
  { available: 32, models: 8, engines: 1, expected: 6144 },
  { available: 32, models: 8, engines: 3, expected: 2048 },
  { available: 32, models: 29, engines: 4, expected: 512 },
])(
  'engines that are loaded together share the prompt cache: %j',
  ({ available, models, engines, expected }) => {
    const memory = { availableMemory: available * GiB, modelBytes: models * GiB };
    expect(promptCacheMiB({ extraArgs: [], engines, ...memory })).toBe(expected);
  },
);

it('the default of llama-server stays if it fits, or if the memory is unknown', () => {
  expect(cacheOf(64, 16)).toBeUndefined();
  expect(cacheOf(undefined, 16)).toBeUndefined();
});

it.each([['-cram', '4096'], ['--cache-ram', '0'], ['--cache-ram=-1'], ['--cache_ram', '100']])(
  'EXTRA_ARGS override the limit of the prompt cache: %j',
  (...args) => {
    expect(cacheOf(4, 1, '--temp', '0', ...args)).toBeUndefined();
  },
);
