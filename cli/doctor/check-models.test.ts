import { describe, expect, it } from 'vitest';
import { parseRegistry } from '../../models/parse-registry.ts';
import { checkAliases, checkBudget, checkModels } from './check-models.ts';

const mib = 1024 ** 2;
const registry = parseRegistry(
  JSON.stringify({
    version: 1,
    models: [
      { id: 'chat', path: '/m/chat.gguf', pin: true, replicas: 2 },
      { id: 'vectors', path: '/m/vectors.gguf', kind: 'embeddings' },
      { id: 'far', backends: ['http://10.0.0.5:8080', 'http://10.0.0.6:8080'] },
      { id: 'later', hf: 'user/repo:Q4_K_M' },
    ],
    aliases: [
      {
        name: 'latest',
        targets: [
          { model: 'chat', weight: 3 },
          { model: 'far', weight: 1 },
        ],
      },
    ],
  }),
  '/m',
);
const needs: Readonly<Record<string, number>> = { chat: 100 * mib, vectors: 60 * mib };
const models = registry.models.map((record) => ({ record, need: needs[record.id], problems: [] }));
const budget = (size: number) => ({ bytes: size * mib, memory: 'machine' }) as const;

describe('several models', () => {
  it('are described with their kind, source and need', () => {
    expect(checkModels(models)).toEqual([
      {
        about: 'model chat',
        verdict: 'good',
        message: 'chat, /m/chat.gguf, 2 replicas, needs 100.0 MiB, pinned',
      },
      { about: 'model vectors', verdict: 'good', message: 'embeddings, /m/vectors.gguf, needs 60.0 MiB' },
      {
        about: 'model later',
        verdict: 'good',
        message: expect.stringMatching(
          /^chat, user\/repo:Q4_K_M, llama-server downloads it at its first load/,
        ),
      },
    ]);
  });

  it('have one finding for each mistake in their files', () => {
    const broken = models.map((model) => ({ ...model, problems: ['a.gguf is empty', 'b.gguf is empty'] }));
    expect(checkModels(broken.slice(0, 1))).toMatchObject([
      { about: 'model chat', verdict: 'bad', message: 'a.gguf is empty' },
      { about: 'model chat', verdict: 'bad', message: 'b.gguf is empty' },
    ]);
  });

  it('show the shares of their aliases', () => {
    expect(checkAliases(registry)).toEqual([
      { about: 'alias latest', verdict: 'good', message: 'chat 75 %, far 25 %' },
    ]);
  });
});

describe('the memory budget', () => {
  const check = (size: number, machine?: number) =>
    checkBudget({
      models,
      budget: budget(size),
      machine: machine === undefined ? undefined : budget(machine),
    });
  const pinned = 'pinned models need 100.0 MiB (chat)';

  it.each([
    [200, 'good', `200.0 MiB; ${pinned}; the largest other one 60.0 MiB (vectors); all together 160.0 MiB`],
    [150, 'bad', expect.stringMatching(/all together 160\.0 MiB, so that they are loaded in turn$/)],
  ])('of %d MiB is %s', (size, verdict, message) => {
    expect(check(size)).toEqual([{ about: 'memory budget', verdict, message }]);
  });

  it('is a warning if it is more than the machine has, or if the machine is unknown', () => {
    expect(check(300, 250)).toMatchObject([
      { verdict: 'good' },
      { verdict: 'warning', message: 'MEMORY_BUDGET is 300.0 MiB, but this machine can give 250.0 MiB' },
    ]);
    expect(check(300, 300)).toHaveLength(1);
    expect(checkBudget({ models, budget: undefined, machine: undefined })).toMatchObject([
      { verdict: 'warning', fix: 'set MEMORY_BUDGET' },
    ]);
  });

  it('does not matter to models that run elsewhere', () => {
    const elsewhere = models.filter(({ record }) => record.source.kind === 'backends');
    expect(checkBudget({ models: elsewhere, budget: budget(1), machine: undefined })).toEqual([]);
  });
});
