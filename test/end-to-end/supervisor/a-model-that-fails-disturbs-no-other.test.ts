import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { killProcess } from '../../harness/child-processes.ts';
import { isRunning } from '../../harness/start-deployment.ts';
import { startModels } from '../../harness/start-models.ts';
import { waitFor } from '../../harness/wait-for.ts';

const GiB = 1024 ** 3;

describe('a model that fails', () => {
  it('because its file is no model is given up, with the reason, until its record changes', async () => {
    await using models = await startModels({
      models: [{ id: 'good', pin: true }, { id: 'bad' }],
    });
    const { deployment } = models;
    await deployment.reachesStatus('ready');
    const pid = await models.pidOf('good');
    const broken = join(deployment.modelFolder, 'broken.gguf');
    writeFileSync(broken, 'GGUF, and then nothing that belongs there');
    models.writeModels([
      { id: 'good', pin: true },
      { id: 'bad', path: broken },
    ]);
    await waitFor('the new models', () => deployment.output().includes('models.json reloaded'));
    await models.demand('bad');
    await models.reaches('bad', 'failed');
    expect(await models.model('bad')).toMatchObject({ failure: 'bad-model', crashes: { 'bad-model': 1 } });
    expect(await models.state()).toMatchObject({
      models: [
        { id: 'good', status: 'loaded' },
        { id: 'bad', status: 'failed', failure: 'bad-model' },
      ],
    });
    expect(await deployment.status()).toMatchObject({ standing: 'ready' });
    expect([await models.pidOf('good'), await models.generate('good')]).toEqual([pid, expect.any(String)]);
    models.writeModels([{ id: 'good', pin: true }, { id: 'bad' }]);
    await models.reaches('bad', 'loaded');
    expect(await models.pidOf('good')).toBe(pid);
  });

  it('to load within LOAD_TIMEOUT is stopped, and the others serve', async () => {
    const limits = { memory: GiB };
    await using models = await startModels({
      fakes: true,
      models: [
        { id: 'good', file: 'ready', pin: true, limits },
        { id: 'never', file: 'slow', limits },
      ],
      // Long enough for the good one, on a busy machine, too.
      env: { LOAD_TIMEOUT: '5', MEMORY_BUDGET: '8GiB' },
    });
    await models.deployment.reachesStatus('ready');
    await models.demand('never');
    await models.reaches('never', 'failed');
    expect(await models.model('never')).toMatchObject({ failure: 'load-timed-out' });
    await waitFor('its end', async () => (await models.engine('never')).status === 'failed');
    await waitFor('no process', () => models.deployment.children().filter(isRunning).length === 2);
    expect(await models.deployment.status()).toMatchObject({ standing: 'ready' });
    expect(models.deployment.output()).toContain('the model did not load within LOAD_TIMEOUT');
    await models.send({ kind: 'model-request', id: 1, model: 'never', action: 'load' });
    writeFileSync(join(models.deployment.modelFolder, 'loaded'), '');
    await models.reaches('never', 'loaded');
  });

  it('because its file has vanished is given up, and the others serve', async () => {
    await using models = await startModels({ models: [{ id: 'good', pin: true }, { id: 'gone' }] });
    const { deployment } = models;
    await deployment.reachesStatus('ready');
    mkdirSync(deployment.modelFolder, { recursive: true });
    const file = join(deployment.modelFolder, 'gone.gguf');
    copyFileSync(inject('demoModel'), file);
    models.writeModels([
      { id: 'good', pin: true },
      { id: 'gone', path: file, ctx: 512 },
    ]);
    await waitFor('the new file', () => deployment.output().includes('models.json reloaded'));
    await models.demand('gone');
    await models.reaches('gone', 'loaded');
    rmSync(file);
    expect(await models.generate('gone')).not.toBe('');
    killProcess(await models.pidOf('gone'), 'SIGKILL');
    await models.reaches('gone', 'failed');
    expect(await models.model('gone')).toMatchObject({ failure: 'bad-model' });
    expect(await models.generate('good')).not.toBe('');
    copyFileSync(inject('demoModel'), file);
    await models.send({ kind: 'model-request', id: 1, model: 'gone', action: 'load' });
    await models.reaches('gone', 'loaded');
  });

  it('keeps the deployment from being ready if it is pinned, but ends nothing', async () => {
    await using models = await startModels({
      fakes: true,
      models: [
        { id: 'good', file: 'ready', pin: true, limits: { memory: GiB } },
        { id: 'bad', file: 'crash', pin: true, limits: { memory: GiB } },
      ],
      env: { MEMORY_BUDGET: '8GiB' },
    });
    const { deployment } = models;
    await models.reaches('bad', 'failed');
    await models.reaches('good', 'loaded');
    expect((await deployment.status()).standing).toBe('loading');
    expect((await deployment.request('/readyz')).status).toBe(503);
    expect((await deployment.request('/livez')).status).toBe(200);
    models.writeModels([
      { id: 'good', file: 'ready', pin: true, limits: { memory: GiB } },
      { id: 'bad', file: 'ready', pin: true, limits: { memory: GiB } },
    ]);
    await deployment.reachesStatus('ready');
  });

  it('if it is the last one ends the process, as a single model does', async () => {
    await using models = await startModels({
      fakes: true,
      models: [{ id: 'a', file: 'crash', limits: { memory: GiB } }],
      env: { MEMORY_BUDGET: '8GiB' },
    });
    await models.deployment.reachesStatus('ready');
    await models.demand('a');
    expect(await models.deployment.exitCode()).toBe(3);
    expect(models.deployment.output()).toMatch(/giving up on llama-server .*bad-model/);
  });
});

describe('a load that fails for lack of memory', () => {
  const limits = { memory: GiB };
  const env = { MEMORY_BUDGET: '8GiB', MODEL_HOLD: '0' };

  it('is tried once more, after another model was unloaded', async () => {
    await using models = await startModels({
      ...{ fakes: true, env },
      models: [
        { id: 'pinned', file: 'ready', pin: true, limits },
        { id: 'idle', file: 'ready', limits },
        { id: 'hungry', file: 'hungry', limits },
      ],
    });
    await models.deployment.reachesStatus('ready');
    await models.demand('idle');
    await models.reaches('idle', 'loaded');
    await models.demand('hungry');
    await models.reaches('hungry', 'loaded');
    expect(await models.model('idle')).toMatchObject({ status: 'unloaded' });
    expect(await models.model('pinned')).toMatchObject({ status: 'loaded', restarts: 0 });
    expect(await models.model('hungry')).toMatchObject({ crashes: { 'out-of-vram': 1 } });
  });

  it('is not tried again if nothing can be unloaded', async () => {
    await using models = await startModels({
      ...{ fakes: true, env },
      models: [
        { id: 'pinned', file: 'ready', pin: true, limits },
        { id: 'hungry', file: 'hungry', limits },
      ],
    });
    await models.deployment.reachesStatus('ready');
    await models.demand('hungry');
    await models.reaches('hungry', 'failed');
    expect(await models.model('hungry')).toMatchObject({
      failure: 'out-of-vram',
      crashes: { 'out-of-vram': 1 },
    });
    expect(await models.model('pinned')).toMatchObject({ status: 'loaded' });
    const hint = 'lower ngl, ctx or parallel of "hungry" in models.json';
    expect(await models.deployment.status()).toMatchObject({
      lastCrash: { class: 'out-of-vram', cure: expect.stringContaining(hint) },
    });
    expect(models.deployment.output()).toContain(`(out-of-vram): not enough free GPU memory: ${hint}`);
    await models.send({ kind: 'model-request', id: 1, model: 'hungry', action: 'load' });
    await models.reaches('hungry', 'loaded');
  });
});

describe('models that do not fit in MEMORY_BUDGET', () => {
  const model = (id: string, gigabytes: number, pin = false) => ({
    ...{ id, pin, file: 'ready', limits: { memory: gigabytes * GiB } },
  });

  it.each([
    [[model('a', 5, true), model('b', 5, true)], /pinned models need 10\.0 GiB .*MEMORY_BUDGET is 8\.0 GiB/],
    [
      [model('a', 5, true), model('b', 6)],
      /"b" needs 6\.0 GiB.*8\.0 GiB, of which pinned models take 5\.0 GiB/,
    ],
  ])('are a mistake of the file: %#', async (models, message) => {
    await using started = await startModels({ fakes: true, models, env: { MEMORY_BUDGET: '8GiB' } });
    expect(await started.deployment.exitCode()).toBe(2);
    expect(started.deployment.output()).toMatch(message);
  });

  it('do not replace those that do', async () => {
    await using models = await startModels({
      ...{ fakes: true, models: [model('a', 5, true)], env: { MEMORY_BUDGET: '8GiB' } },
    });
    await models.deployment.reachesStatus('ready');
    const pid = await models.pidOf('a');
    models.writeModels([model('a', 5, true), model('b', 6)]);
    await waitFor('the message', () => models.deployment.output().includes('stay in use'));
    expect((await models.state()).models.map(({ id }) => id)).toEqual(['a']);
    expect(await models.pidOf('a')).toBe(pid);
  });
});
