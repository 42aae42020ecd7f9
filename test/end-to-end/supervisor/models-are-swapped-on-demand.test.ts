import { describe, expect, it } from 'vitest';
import { killProcess } from '../../harness/child-processes.ts';
import { isRunning } from '../../harness/start-deployment.ts';
import { type ModelsDeployment, startModels } from '../../harness/start-models.ts';
import { waitFor } from '../../harness/wait-for.ts';

const GiB = 1024 ** 3;

/** Two models of which one fits, and nothing that holds a swap back. */
const forOne = {
  models: [
    { id: 'a', limits: { memory: 3 * GiB } },
    { id: 'b', limits: { memory: 3 * GiB } },
  ],
  env: { MEMORY_BUDGET: '4GiB', MODEL_HOLD: '0' },
};

/** The ids of the models that have a process. */
async function resident(models: ModelsDeployment): Promise<string[]> {
  const { engines } = await models.state();
  return engines.filter(({ status }) => status !== 'unloaded').map(({ id }) => id);
}

describe('with memory for one of two models', () => {
  it('a demand loads a model, and a demand for the other swaps them', async () => {
    await using models = await startModels(forOne);
    // Nothing is pinned: the deployment is ready to load either.
    await models.deployment.reachesStatus('ready');
    expect(await resident(models)).toEqual([]);
    for (const [wanted, other] of [
      ['a', 'b'],
      ['b', 'a'],
      ['a', 'b'],
    ] as const) {
      await models.demand(wanted);
      await models.reaches(wanted, 'loaded');
      expect(await models.generate(wanted)).not.toBe('');
      expect((await models.model(other)).status).toBe('unloaded');
      await models.demand();
    }
    expect(await models.deployment.status()).toMatchObject({
      standing: 'ready',
      lastCrash: null,
      crashes: { engine: {} },
      restarts: { engine: 0 },
    });
  });

  it('a model with requests is paused and served to the end before it is unloaded', async () => {
    await using models = await startModels(forOne);
    await models.deployment.reachesStatus('ready');
    await models.demand('a');
    await models.reaches('a', 'loaded');
    const pid = await models.pidOf('a');
    await models.setBusy('a');
    await models.demand('b');
    await waitFor('the pause', async () => (await models.engine('a')).pause);
    for (let n = 0; n < 5; n++) expect(await models.generate('a')).not.toBe('');
    // An answer to an earlier state does not count.
    await models.send({ kind: 'engine-drained', engine: 'a', version: 1 });
    expect(await models.generate('a')).not.toBe('');
    expect([isRunning(pid), (await models.model('b')).status]).toEqual([true, 'unloaded']);
    await models.setBusy();
    await models.reaches('b', 'loaded');
    expect(isRunning(pid)).toBe(false);
    expect(await models.engine('a')).toMatchObject({ pause: false, status: 'unloaded' });
  });

  it('a model that stays after all has all its replicas again', async () => {
    await using models = await startModels({
      ...forOne,
      models: [{ id: 'a', replicas: 2, limits: { memory: 1.5 * GiB } }, forOne.models[1] ?? {}],
    });
    await models.deployment.reachesStatus('ready');
    const areReady = async () =>
      (await models.state()).engines.filter(({ status, pause }) => status === 'ready' && !pause).length === 2;
    await models.demand('a');
    await waitFor('both replicas', areReady);
    const pid = await models.pidOf('a');
    await models.setBusy('a#2');
    await models.demand('b');
    await waitFor('the end of the one without requests', () => !isRunning(pid));
    expect((await models.engine('a#2')).pause).toBe(true);
    await models.demand('a');
    await waitFor('both replicas', areReady);
  });

  it('a gateway that crashes meanwhile does not stop the swap', async () => {
    await using models = await startModels(forOne);
    await models.deployment.reachesStatus('ready');
    await models.demand('a');
    await models.reaches('a', 'loaded');
    await models.setBusy('a');
    await models.demand('b');
    await waitFor('the pause', async () => (await models.engine('a')).pause);
    const engine = await models.pidOf('a');
    const gateway = models.deployment.children().find((pid) => pid !== engine) ?? 0;
    killProcess(gateway, 'SIGKILL');
    await waitFor('the end of the pause', async () => (await models.model('a')).status === 'unloaded');
    await waitFor('the next gateway', async () => (await models.state()).engines.length === 2);
    await models.demand('b');
    await models.reaches('b', 'loaded');
  });

  it('a pinned model stays', async () => {
    await using models = await startModels({
      models: [
        { id: 'a', pin: true, limits: { memory: 3 * GiB } },
        { id: 'b', limits: { memory: GiB } },
      ],
      env: forOne.env,
    });
    await models.deployment.reachesStatus('ready');
    const pid = await models.pidOf('a');
    await models.demand('b');
    await models.reaches('b', 'loaded');
    await models.send({ kind: 'model-request', id: 1, model: 'a', action: 'unload' });
    expect(await models.reply(1)).toMatchObject({
      outcome: 'rejected',
      problem: expect.stringContaining('a is pinned'),
    });
    expect(await models.pidOf('a')).toBe(pid);
  });
});

describe('a request of an administrator', () => {
  it('loads, restarts and unloads a model', async () => {
    await using models = await startModels({ models: [{ id: 'a' }] });
    await models.deployment.reachesStatus('ready');
    await models.send({ kind: 'model-request', id: 1, model: 'a', action: 'load' });
    expect(await models.reply(1)).toEqual({ outcome: 'accepted' });
    await models.reaches('a', 'loaded');
    const pid = await models.pidOf('a');
    await models.send({ kind: 'model-request', id: 2, model: 'a', action: 'restart' });
    expect(await models.reply(2)).toEqual({ outcome: 'accepted' });
    await waitFor('another process', async () => (await models.pidOf('a')) !== pid);
    await models.reaches('a', 'loaded');
    await models.send({ kind: 'model-request', id: 3, model: 'a', action: 'unload' });
    expect(await models.reply(3)).toEqual({ outcome: 'accepted' });
    await models.reaches('a', 'unloaded');
    await models.send({ kind: 'model-request', id: 4, model: 'z', action: 'load' });
    expect(await models.reply(4)).toEqual({ outcome: 'unknown-model' });
    expect(await models.model('a')).toMatchObject({ crashes: {}, restarts: 0, loads: 1, unloads: 1 });
    expect((await models.model('a')).loadSeconds).toBeGreaterThan(0);
  });
});
