import { expect, it } from 'vitest';
import { killProcess } from '../../harness/child-processes.ts';
import { startModels } from '../../harness/start-models.ts';
import { waitFor } from '../../harness/wait-for.ts';

const [a, b] = [{ id: 'a', pin: true }, { id: 'b' }];

it('a model that is removed takes its counters along, and brings them back when it is added again', async () => {
  await using models = await startModels({ models: [a, b], env: { RESTART_DELAY_MIN: '100ms' } });
  const { deployment } = models;
  const restarts = async () => ((await deployment.status()).restarts as { engine: number }).engine;
  const ids = async () => (await deployment.status()).models?.map(({ id }) => id);
  await models.reaches('a', 'loaded');
  killProcess(await models.pidOf('a'), 'SIGKILL');
  await waitFor('the restart', async () => (await models.model('a')).restarts === 1);
  await models.reaches('a', 'loaded');
  const before = await models.model('a');
  models.writeModels([b]);
  await waitFor('the model to be gone', async () => !(await ids())?.includes('a'));
  expect(await restarts()).toBe(1);
  models.writeModels([b, { ...a, pin: false }]);
  await waitFor('the model to be back', async () => (await ids())?.includes('a'));
  const { crashes, loads } = before;
  expect(await models.model('a')).toMatchObject({ status: 'unloaded', restarts: 1, loads, crashes });
  expect(await restarts()).toBe(1);
});
