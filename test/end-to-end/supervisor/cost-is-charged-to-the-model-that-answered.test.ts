import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { scrape } from '../../harness/read-metrics.ts';
import { startServedModels } from '../../harness/start-served-models.ts';
import { temporaryFolder } from '../../harness/temporary-folder.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { demoModelFile } from '../../services/demo-models.ts';

it('a request to an alias costs machine time, money and energy of its target only', async () => {
  await using folder = await temporaryFolder();
  const smi = folder.file('nvidia-smi-steady');
  symlinkSync(join(import.meta.dirname, '../../fakes/fake-nvidia-smi.ts'), smi);
  const limits = { memory: '1GiB' };
  await using models = await startServedModels(
    {
      models: [
        { id: 'guide', path: await demoModelFile('guide'), parallel: 4, pin: true, limits },
        { id: 'tales', path: await demoModelFile('tales'), parallel: 4, pin: true, limits },
      ],
      aliases: [{ name: 'latest', targets: [{ model: 'tales', weight: 1 }] }],
    },
    {
      ...{ NVIDIA_SMI: smi, GPU_INTERVAL: '50ms', NGL: '0', MEMORY_BUDGET: '4GiB' },
      ...{ COST_PER_HOUR: '3600', METRICS_AUTH_ENABLED: 'false' },
    },
  );
  await waitFor('the gateway to have four slots of each model', async () => {
    const page = await scrape(models.origin);
    return ['guide', 'tales'].every((model) => page.value('corral_model_slots', { model }) === 4);
  });
  const startedAt = performance.now();
  await models.chat('latest', 'A long story', { max_tokens: 500 });
  const elapsed = (performance.now() - startedAt) / 1000;
  const name = 'corral_model_energy_per_token_joules';
  const page = await waitFor('the energy of a token', async () => {
    const read = await scrape(models.origin);
    return (read.value(name, { model: 'tales', tokens: 'output' }) ?? 0) > 0 && read;
  });
  for (const metric of ['corral_model_machine_seconds_total', 'corral_model_cost_total', name])
    expect(page.labelValues(metric, 'model')).toEqual(expect.arrayContaining(['tales']));
  for (const metric of ['corral_model_machine_seconds_total', 'corral_model_cost_total', name])
    expect(page.labelValues(metric, 'model')).not.toContain('guide');
  const seconds = page.value('corral_model_machine_seconds_total', { model: 'tales' }) ?? 0;
  expect(seconds).toBeGreaterThan(0);
  // 3600 per hour is 1 per second.
  expect(page.value('corral_model_cost_total', { model: 'tales' })).toBeCloseTo(seconds, 6);
  // Two models share the machine, and one of four slots was used: an eighth of the time at the engine.
  expect(8 * seconds).toBeLessThanOrEqual(elapsed);
});
