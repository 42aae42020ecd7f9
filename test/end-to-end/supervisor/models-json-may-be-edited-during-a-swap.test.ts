import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { argumentsOf, killProcess } from '../../harness/child-processes.ts';
import { isRunning } from '../../harness/start-deployment.ts';
import { type ModelsDeployment, startModels } from '../../harness/start-models.ts';
import { waitFor } from '../../harness/wait-for.ts';

const limits = { memory: 3 * 1024 ** 3 };
const [a, b] = [
  { id: 'a', limits },
  { id: 'b', limits },
];

const contextOf = async (models: ModelsDeployment, id: string) => {
  const args = argumentsOf(await models.pidOf(id));
  return args[args.indexOf('-c') + 1];
};

const idsOf = async (models: ModelsDeployment) => (await models.state()).models.map(({ id }) => id);

/** Model a is paused for b, but still has a request. */
async function startSwap(): Promise<ModelsDeployment> {
  const models = await startModels({
    models: [a, b],
    env: { MEMORY_BUDGET: '4GiB', MODEL_HOLD: '0' },
  });
  await models.deployment.reachesStatus('ready');
  await models.demand('a');
  await models.reaches('a', 'loaded');
  await models.setBusy('a');
  await models.demand('b');
  await waitFor('the pause', async () => (await models.engine('a')).pause);
  return models;
}

describe('models.json may be edited while a swap is under way', () => {
  it('the model that leaves takes up its change after it has left', async () => {
    await using models = await startSwap();
    const pid = await models.pidOf('a');
    models.writeModels([{ ...a, path: inject('demoModel'), ctx: 1024, parallel: 1 }, b, { id: 'c', limits }]);
    await waitFor('the third model', async () => (await idsOf(models)).includes('c'));
    expect([isRunning(pid), await models.generate('a')]).toEqual([true, expect.any(String)]);
    expect((await models.engine('a')).pause).toBe(true);
    await models.setBusy();
    await models.reaches('b', 'loaded');
    await models.demand('a');
    await models.reaches('a', 'loaded');
    expect(await contextOf(models, 'a')).toBe('1024');
  });

  it('a model that is removed serves its last request, and then is gone', async () => {
    await using models = await startSwap();
    const pid = await models.pidOf('a');
    models.writeModels([b]);
    await waitFor('the removal', async () =>
      (await models.state()).models.some(({ id, removed }) => id === 'a' && removed),
    );
    expect([isRunning(pid), await models.generate('a')]).toEqual([true, expect.any(String)]);
    await models.setBusy();
    await models.reaches('b', 'loaded');
    expect([isRunning(pid), await idsOf(models)]).toEqual([false, ['b']]);
  });

  it('the model that is waited for may be removed', async () => {
    await using models = await startSwap();
    models.writeModels([a, { id: 'c', limits }]);
    await waitFor('the removal', async () => !(await idsOf(models)).includes('b'));
    await models.setBusy();
    await models.demand('c');
    await models.reaches('c', 'loaded');
    expect(await models.generate('c')).not.toBe('');
  });

  it('a file with mistakes changes nothing', async () => {
    await using models = await startSwap();
    writeFileSync(
      join(models.deployment.folder, 'data', 'models.json'),
      '{"version":1,"models":[{"id":"a"}]}',
    );
    await waitFor('the message', () => models.deployment.output().includes('stay in use'));
    expect(models.deployment.output()).toMatch(/models\[0\]: has no source/);
    await models.setBusy();
    await models.reaches('b', 'loaded');
    expect(await idsOf(models)).toEqual(['a', 'b']);
  });
});

it('a model that loads takes up its change before it serves the requests that wait', async () => {
  await using models = await startModels({ models: [{ id: 'a' }] });
  await models.deployment.reachesStatus('ready');
  await models.demand('a');
  const pid = await waitFor('its process', () => models.pidOf('a'), { every: 1 });
  killProcess(pid, 'SIGSTOP');
  models.writeModels([{ id: 'a', path: inject('demoModel'), ctx: 1024, parallel: 1 }]);
  await waitFor('its end', () => !isRunning(pid));
  await models.reaches('a', 'loaded');
  expect(await contextOf(models, 'a')).toBe('1024');
});

it('a model that comes back is loaded for requests that were in line before, which are not reported again', async () => {
  await using models = await startModels({ models: [{ id: 'a' }] });
  await models.deployment.reachesStatus('ready');
  await models.demand('b');
  models.writeModels([{ id: 'a' }, { id: 'b' }]);
  await models.reaches('b', 'loaded');
});

describe('a change of a loaded model', () => {
  it('restarts it after its requests have ended, and falls back if the model does not load', async () => {
    await using models = await startModels({
      models: [
        { id: 'a', pin: true },
        { id: 'b', pin: true },
      ],
    });
    await models.deployment.reachesStatus('ready');
    const [before, other] = [await models.pidOf('a'), await models.pidOf('b')];
    const path = inject('demoModel');
    await models.setBusy('a');
    models.writeModels([
      { id: 'a', pin: true, path, ctx: 1024, parallel: 1 },
      { id: 'b', pin: true },
    ]);
    await waitFor('the pause', async () => (await models.engine('a')).pause);
    expect(await models.pidOf('a')).toBe(before);
    await models.setBusy();
    await waitFor('the new context', async () => (await contextOf(models, 'a')) === '1024');
    await models.reaches('a', 'loaded');
    const broken = join(models.deployment.folder, 'broken.gguf');
    writeFileSync(broken, 'GGUF, and then nothing that belongs there');
    models.writeModels([
      { id: 'a', pin: true, path: broken },
      { id: 'b', pin: true },
    ]);
    await waitFor('the fallback', async () =>
      models.deployment.output().includes('restoring the previous ones'),
    );
    await models.reaches('a', 'loaded');
    expect(await models.generate('a')).not.toBe('');
    expect(await models.pidOf('b')).toBe(other);
  });
});
