import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { argumentsOf, killProcess } from '../../harness/child-processes.ts';
import { isRunning } from '../../harness/start-deployment.ts';
import { startModels } from '../../harness/start-models.ts';
import { waitFor } from '../../harness/wait-for.ts';

const ids = ['chat', 'org/embed:v2', 'rerank'];

describe('each model has an engine of its own', () => {
  it('that is killed and restarted without an effect on the others', async () => {
    // Long enough to be seen.
    const env = { RESTART_DELAY_MIN: '3s' };
    await using models = await startModels({ models: ids.map((id) => ({ id, pin: true })), env });
    const { deployment } = models;
    await deployment.reachesStatus('ready');
    for (const id of ids) {
      const others = ids.filter((other) => other !== id);
      const pids = await Promise.all(others.map(models.pidOf));
      const killed = await models.pidOf(id);
      killProcess(killed, 'SIGKILL');
      await waitFor('the crash', async () => (await models.model(id)).crashes.killed === 1);
      await waitFor('503', async () => (await deployment.request('/readyz')).status === 503);
      for (const other of others) {
        expect((await models.model(other)).status).toBe('loaded');
        expect(await models.generate(other)).not.toBe('');
      }
      await models.reaches(id, 'loaded');
      expect(await models.generate(id)).not.toBe('');
      expect(await models.pidOf(id)).not.toBe(killed);
      expect(await Promise.all(others.map(models.pidOf))).toEqual(pids);
    }
    for (const id of ids)
      expect(await models.model(id)).toMatchObject({ restarts: 1, crashes: { killed: 1 } });
    expect(await deployment.status()).toMatchObject({
      standing: 'ready',
      restarts: { engine: 3, gateway: 0 },
      crashes: { engine: { killed: 3 } },
      model: null,
    });
  });

  it('with an own socket, key and crash files, and its id in the log', async () => {
    await using models = await startModels({
      models: ids.map((id) => ({ id, pin: true })),
      env: { LOG_FORMAT: 'json' },
    });
    const { deployment } = models;
    await deployment.reachesStatus('ready');
    const engines = await Promise.all(ids.map(models.engine));
    expect(new Set(engines.map(({ apiKey }) => apiKey)).size).toBe(3);
    expect(new Set(engines.map(({ address }) => address.socketPath)).size).toBe(3);
    expect(engines[0]?.address.socketPath).toMatch(/\/chat\.sock$/);
    killProcess(await models.pidOf('org/embed:v2'), 'SIGKILL');
    const folder = join(deployment.folder, 'data', 'crashes');
    const [file = ''] = await waitFor('the crash file', () => {
      const found = readdirSync(folder).filter((name) => name.endsWith('.json'));
      return found.length > 0 && found;
    });
    expect(file).toMatch(/Z-llama-server-org-embed-v2-[0-9a-f]{6}\.json$/);
    expect(JSON.parse(readFileSync(join(folder, file), 'utf8'))).toMatchObject({
      who: 'llama-server',
      engine: 'org/embed:v2',
      class: 'killed',
    });
    await waitFor('its log line', () => deployment.output().includes('terminated by SIGKILL'));
    const lines = deployment.output().split('\n');
    expect(lines.find((line) => line.includes('terminated by SIGKILL'))).toContain('"engine":"org/embed:v2"');
    expect(lines.find((line) => line.includes('"from":"llama-server"'))).toContain('"engine":"');
    const shown = deployment.children().flatMap(argumentsOf).concat(deployment.output());
    for (const { apiKey } of engines) expect(shown.filter((text) => text.includes(apiKey))).toEqual([]);
    expect(deployment.output()).not.toContain('cmd_child_to_router');
  });

  it('whose load and memory are shown', async () => {
    await using models = await startModels({ fakes: true, models: [{ id: 'a', file: 'slow', pin: true }] });
    await waitFor('the progress', async () => (await models.model('a')).loadProgress === 0.42);
    expect(await models.model('a')).toMatchObject({ status: 'loading' });
    await waitFor('the gateway', async () => (await models.engine('a')).loadProgress === 0.42);
    expect(await models.engine('a')).toMatchObject({ slots: null });
    await models.deployment.reachesStatus('loading');
    writeFileSync(join(models.deployment.modelFolder, 'loaded'), '');
    await models.deployment.reachesStatus('ready');
    // What its process has in memory.
    await waitFor('its memory', async () => ((await models.model('a')).memory ?? 0) > 2 ** 20);
    expect(await models.model('a')).toMatchObject({ status: 'loaded', loadProgress: null });
    await waitFor('the gateway', async () => (await models.engine('a')).loadProgress === null);
    expect(await models.engine('a')).toMatchObject({ slots: 2 });
  });

  it('and replicas have one each', async () => {
    await using models = await startModels({ models: [{ id: 'small', pin: true, replicas: 2 }] });
    await waitFor('both replicas', async () =>
      (await models.model('small')).engines.every(({ status }) => status === 'ready'),
    );
    await models.deployment.reachesStatus('ready');
    const pids = [await models.pidOf('small'), await models.pidOf('small#2')];
    killProcess(pids[0], 'SIGKILL');
    await waitFor('the crash', async () => (await models.model('small')).crashes.killed === 1);
    expect(await models.model('small')).toMatchObject({ status: 'loaded' });
    expect((await models.deployment.request('/readyz')).status).toBe(200);
    expect(await models.generate('small#2')).not.toBe('');
    expect(isRunning(pids[1] ?? 0)).toBe(true);
  });

  it('and all of them end with the supervisor', async () => {
    await using models = await startModels({ models: ids.map((id) => ({ id, pin: true })) });
    await models.deployment.reachesStatus('ready');
    const children = models.deployment.children();
    expect(children.length).toBe(4);
    models.deployment.process.kill('SIGTERM');
    expect(await models.deployment.exitCode()).toBe(0);
    expect(children.filter(isRunning)).toEqual([]);
  });
});
