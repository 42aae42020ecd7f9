import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import type { SupervisorStatus } from '../../health/supervisor-status.ts';
import type { EngineServices } from '../engines/engine-services.ts';
import type { ModelDirectory, ModelEntry } from '../engines/model-directory.ts';
import { registerDirectoryMetrics, registerModelMetrics } from './model-metrics.ts';

const status: SupervisorStatus = {
  standing: 'ready',
  version: undefined,
  boot: {},
  loadTimeMs: null,
  restarts: {},
  crashes: {},
  models: [
    {
      ...{ id: 'a', status: 'loaded', failure: null, memory: 2048, loads: 3, loadSeconds: 4.5, unloads: 2 },
      ...{ restarts: 1, crashes: { killed: 1 } },
    },
    {
      ...{ id: 'b', status: 'failed', failure: 'x', memory: null, loads: 0, loadSeconds: 0, unloads: 0 },
      ...{ restarts: 0, crashes: {} },
    },
  ],
  memoryBudget: 4096,
};

const linesOf = (current: SupervisorStatus | undefined) =>
  linesFrom((registry) => registerModelMetrics(registry, () => current));

async function linesFrom(register: (registry: Registry) => void) {
  const registry = new Registry();
  register(registry);
  return (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

it('shows what the supervisor reports of each model', async () => {
  const lines = await linesOf(status);
  for (const line of [
    'corral_model_status{model="a",status="loaded"} 1',
    'corral_model_status{model="a",status="failed"} 0',
    'corral_model_status{model="b",status="failed"} 1',
    'corral_model_memory_bytes{model="a"} 2048',
    'corral_memory_budget_bytes 4096',
    'corral_model_loads_total{model="a"} 3',
    'corral_model_loads_seconds_total{model="a"} 4.5',
    'corral_model_unloads_total{model="a"} 2',
    'corral_model_restarts_total{model="a"} 1',
    'corral_model_crashes_total{model="a",class="killed"} 1',
  ])
    expect(lines).toContain(line);
  expect(lines.join('\n')).not.toContain('corral_model_memory_bytes{model="b"}');
});

it('shows nothing with one model, and without a supervisor', async () => {
  expect(await linesOf({ ...status, memoryBudget: undefined })).toEqual([]);
  expect(await linesOf(undefined)).toEqual([]);
});

it('shows the slots and requests of each model, and the shares of the aliases', async () => {
  const engine = { scheduler: { counts: { capacity: 2, leased: 1, waiting: 3 } } } as EngineServices;
  // Of the engines, this metric reads only the scheduler.
  const entry = (id: string, ...engines: EngineServices[]) =>
    ({ record: { id }, engines }) as unknown as ModelEntry;
  const target = (model: string, effectiveWeight: number, suspended?: 'crashed') => ({
    ...{ model, weight: 1, effectiveWeight, suspended },
  });
  const directory: ModelDirectory = {
    models: [entry('a', engine, engine), entry('b')],
    aliases: [
      { name: 'latest', targets: [target('a', 3), target('b', 1)] },
      { name: 'next', targets: [target('a', 9), target('b', 0, 'crashed')] },
    ],
  };
  const lines = await linesFrom((registry) => registerDirectoryMetrics(registry, directory));
  expect(lines).toEqual([
    'corral_model_queue_depth{model="a"} 6',
    'corral_model_queue_depth{model="b"} 0',
    'corral_model_slots{model="a"} 4',
    'corral_model_slots{model="b"} 0',
    'corral_model_slots_leased{model="a"} 2',
    'corral_model_slots_leased{model="b"} 0',
    'corral_alias_share_ratio{alias="latest",model="a"} 0.75',
    'corral_alias_share_ratio{alias="latest",model="b"} 0.25',
    'corral_alias_share_ratio{alias="next",model="a"} 1',
    'corral_alias_share_ratio{alias="next",model="b"} 0',
    'corral_alias_target_suspended{alias="latest",model="a"} 0',
    'corral_alias_target_suspended{alias="latest",model="b"} 0',
    'corral_alias_target_suspended{alias="next",model="a"} 0',
    'corral_alias_target_suspended{alias="next",model="b"} 1',
  ]);
});
