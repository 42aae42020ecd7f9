import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import type { SupervisorStatus } from '../../health/supervisor-status.ts';
import { registerModelMetrics } from './model-metrics.ts';

const status: SupervisorStatus = {
  standing: 'ready',
  version: undefined,
  boot: {},
  loadTimeMs: null,
  restarts: {},
  crashes: {},
  models: [
    {
      ...{ id: 'a', status: 'loaded', memory: 2048, loads: 3, loadSeconds: 4.5, unloads: 2 },
      ...{ restarts: 1, crashes: { killed: 1 } },
    },
    {
      ...{ id: 'b', status: 'failed', memory: null, loads: 0, loadSeconds: 0, unloads: 0 },
      ...{ restarts: 0, crashes: {} },
    },
  ],
  memoryBudget: 4096,
};

async function linesOf(current: SupervisorStatus | undefined) {
  const registry = new Registry();
  registerModelMetrics(registry, () => current);
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
