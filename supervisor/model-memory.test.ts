import { beforeAll, describe, expect, inject, it } from 'vitest';
import { parseRegistry } from '../models/parse-registry.ts';
import type { ModelRecord } from '../models/registry.ts';
import { readSettings } from '../settings/read-settings.ts';
import '../test/services/start-llama-server.ts';
import type { SupervisorConfig } from './config.ts';
import { ModelMemory } from './model-memory.ts';

const MiB = 1024 ** 2;
const config = { settings: readSettings({}).settings } as SupervisorConfig;
const machine = new ModelMemory(config, { bytes: 1000 * MiB, memory: 'machine' });
const gpu = new ModelMemory(config, { bytes: 1000 * MiB, memory: 'gpu' });

function record(fields: object): ModelRecord {
  const models = [{ id: 'm', path: inject('demoModel'), ctx: 512, parallel: 1, ...fields }];
  const [found] = parseRegistry(JSON.stringify({ version: 1, models }), '/m').models;
  if (!found) throw new Error('no model');
  return found;
}
const use = (fields: object = {}, measuredBytes?: number, missedBytes?: number) => ({
  ...{ record: record(fields), measuredBytes, missedBytes },
});

describe('the need of a model', () => {
  let estimate: number;
  beforeAll(() => {
    estimate = machine.needOf(use());
  });

  it('is an estimate at first, for each replica', () => {
    expect(estimate).toBeGreaterThan(5 * MiB);
    expect(machine.needOf(use({ replicas: 3 }))).toBe(3 * estimate);
  });

  it('is what it took on a GPU, but never less than the estimate in the memory of the machine', () => {
    expect([gpu.needOf(use({}, MiB)), gpu.needOf(use({}, 900 * MiB))]).toEqual([MiB, 900 * MiB]);
    expect([machine.needOf(use({}, MiB)), machine.needOf(use({}, 900 * MiB))]).toEqual([estimate, 900 * MiB]);
  });

  it('is what its operator reserves, if that was set', () => {
    expect(gpu.needOf(use({ limits: { memory: '64MiB' } }, 900 * MiB))).toBe(64 * MiB);
  });

  it('is more than was free when its load failed for lack of memory', () => {
    expect(machine.needOf(use({ limits: { memory: '64MiB' } }, undefined, 70 * MiB))).toBe(70 * MiB);
  });

  it('is unknown, and so 0, if its file cannot be read', () => {
    expect(machine.needOf(use({ path: '/nowhere.gguf' }))).toBe(0);
  });
});

it('models that can never be loaded are reported with the numbers', () => {
  const text = JSON.stringify({
    version: 1,
    models: [{ id: 'm', path: inject('demoModel'), limits: { memory: '2000MiB' } }],
  });
  expect(machine.problemsOf(parseRegistry(text, '/m'))).toEqual([
    expect.stringMatching(/"m" needs 2\.0 GiB, but MEMORY_BUDGET is 1000\.0 MiB/),
  ]);
});
