import { expect, inject, it } from 'vitest';
import { killProcess } from '../../harness/child-processes.ts';
import { scrape } from '../../harness/read-metrics.ts';
import { startDeployment } from '../../harness/start-deployment.ts';
import { waitFor } from '../../harness/wait-for.ts';

it('the metrics show the status of the deployment, its load time, and each crash by class', async () => {
  await using deployment = await startDeployment({
    real: { engine: inject('engine'), model: inject('demoModel') },
  });
  await deployment.reachesStatus('ready');
  const origin = `http://127.0.0.1:${deployment.gatewayPort}`;
  const health = await waitFor('the deployment to be seen', async () => {
    const page = await scrape(origin);
    return page.value('corral_house_standing', { standing: 'ready' }) === 1 && page;
  });
  const { loadTimeMs } = await deployment.status();
  expect(health.value('corral_model_load_seconds')).toBe(Number(loadTimeMs) / 1000);
  expect(health.value('corral_restarts_total', { child: 'engine' })).toBe(0);
  expect(health.labelValues('corral_crashes_total', 'class')).toEqual([]);

  const [engine = 0] = deployment.children();
  killProcess(engine, 'SIGKILL');
  const after = await waitFor('the crash to be seen', async () => {
    const page = await scrape(origin);
    return page.value('corral_restarts_total', { child: 'engine' }) === 1 && page;
  });
  const [crash] = after.labelValues('corral_crashes_total', 'class');
  expect(after.value('corral_crashes_total', { child: 'engine', class: crash ?? '' })).toBe(1);
  expect((await deployment.status()).lastCrash).toMatchObject({ class: crash });
});
