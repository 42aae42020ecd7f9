import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject, it } from 'vitest';
import { storyText } from '../../../cli/demo-model/stories.ts';
import { taleText } from '../../../cli/demo-model/tales.ts';
import { argumentsOf, killProcess } from '../../harness/child-processes.ts';
import { keyFileText } from '../../harness/key-file-text.ts';
import { responsesClient, textOf } from '../../harness/responses-client.ts';
import { isRunning, newFolder, startDeployment } from '../../harness/start-deployment.ts';
import { type ServedModels, startServedModels } from '../../harness/start-served-models.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { demoModelFile } from '../../services/demo-models.ts';

const limits = { memory: 1024 ** 3 };
const models = [
  { id: 'guide', path: await demoModelFile('guide'), ctx: 8192, parallel: 1, pin: true, limits },
  { id: 'tales', path: await demoModelFile('tales'), ctx: 8192, parallel: 1, pin: true, limits },
];
const latest = (...targets: readonly object[]) => ({ models, aliases: [{ name: 'latest', targets }] });

/** As the gateway knows it. A chat would wait for the engine of the old one. */
async function targetOfLatest({ origin }: ServedModels): Promise<string | undefined> {
  const { data } = (await (await fetch(`${origin}/v1/models`)).json()) as {
    data: { id: string; targets?: { model: string }[] }[];
  };
  return data.find(({ id }) => id === 'latest')?.targets?.[0]?.model;
}

const modelsIn = (text: string) => new Set([...text.matchAll(/"model":"(\w+)"/g)].map(([, model]) => model));

const pidOfRunner = ({ deployment }: ServedModels) =>
  deployment.children().find((pid) => argumentsOf(pid).some((argument) => argument.endsWith('jobs/main.ts')));

it('text of one model is not continued by another one that its alias leads to meanwhile', async () => {
  await using served = await startServedModels(latest({ model: 'guide', weight: 1 }), { STORE: 'on' });
  const client = responsesClient(served.origin, 'nobody asks for it');
  await served.reaches('guide', 'loaded');
  await served.reaches('tales', 'loaded');
  const created = await client.create({ model: 'latest', input: 'long story', background: true });
  expect(created.model).toBe('guide');
  const path = `GET /v1/responses/${created.id}?stream=true`;
  await using following = await client.stream(path);
  await following.event('response.output_text.delta');
  const engine = await served.pidOf('guide');
  killProcess(engine, 'SIGSTOP');
  try {
    expect((await client.send(`GET /v1/responses/${created.id}`)).body.status).toBe('in_progress');
    served.write(latest({ model: 'tales', weight: 1 }));
    await waitFor('the new target', async () => (await targetOfLatest(served)) === 'tales');
    expect(await served.chat('latest', 'winter')).toBe(taleText('winter'));
    killProcess(pidOfRunner(served), 'SIGKILL');
    expect((await following.ended).at(-1)).toMatchObject({ type: 'error', code: 'events_lost' });
    const ended = await client.untilEnded(created.id);
    expect([ended.status, ended.model, textOf(ended)]).toEqual([
      'completed',
      'tales',
      taleText('long story'),
    ]);
    const { text } = await client.send(path);
    expect(modelsIn(text)).toEqual(new Set(['tales']));
  } finally {
    if (isRunning(engine)) killProcess(engine, 'SIGCONT');
  }
});

it('a session stays with its model, whoever sends the request', async () => {
  const targets = ['guide', 'tales'].map((model) => ({ model, weight: 1 }));
  await using served = await startServedModels(latest(...targets), { STORE: 'on' });
  const client = responsesClient(served.origin, 'nobody asks for it');
  const seen = new Set<string>();
  for (let session = 0; session < 8; session++) {
    const headers = { 'x-session-id': `session ${session}` };
    const request = { model: 'latest', input: 'winter keys', temperature: 0, background: true };
    const response = await served.post('/v1/responses', request, headers);
    const { id, model } = (await response.json()) as { id: string; model: string };
    const ended = await client.untilEnded(id);
    const text = model === 'guide' ? storyText('keys') : taleText('winter');
    expect([ended.model, textOf(ended)]).toEqual([model, text]);
    const { text: events } = await client.send(`GET /v1/responses/${id}?stream=true`);
    expect(modelsIn(events)).toEqual(new Set([model]));
    seen.add(model);
  }
  expect(seen.size).toBe(2);
});

it('a restart with another model begins it anew, and who has waited gets the name of the model that answers', async () => {
  const folder = newFolder();
  mkdirSync(join(folder, 'data'));
  const secret = 'sk-ops-0123456789abcdefghijklmnopqrstuvwxyz0123';
  const keys = keyFileText({ ops: { secret, scopes: ['inference', 'admin'] } });
  writeFileSync(join(folder, 'data', 'keys.json'), keys, { mode: 0o600 });
  await using deployment = await startDeployment({
    folder,
    real: { engine: inject('engine'), model: inject('demoModel') },
    env: { STORE: 'on', MODELS_DIR: join(folder, 'models'), PARALLEL: '1', CTX: '8192', DRAIN_TIMEOUT: '1s' },
  });
  copyFileSync(await demoModelFile('tales'), join(deployment.modelFolder, 'tales.gguf'));
  await deployment.reachesStatus('ready');
  const origin = `http://127.0.0.1:${deployment.gatewayPort}`;
  const client = responsesClient(origin, secret);
  const running = await client.create({ input: 'long story', background: true });
  await using following = await client.stream(`GET /v1/responses/${running.id}?stream=true`);
  await following.event('response.output_text.delta');
  killProcess(deployment.children()[0], 'SIGSTOP');
  const waiting = await client.create({ input: 'winter', background: true });
  const asking = client.create({ input: 'harbour' });
  await waitFor('the requests to wait', async () => {
    const health = await fetch(`${origin}/health`);
    return ((await health.json()) as { queue: { waiting: number } }).queue.waiting === 2;
  });
  const body = JSON.stringify({ MODEL_NAME: 'tales.gguf' });
  const restarting = await fetch(`${origin}/admin/restart`, {
    method: 'POST',
    headers: { 'x-api-key': secret },
    body,
  });
  expect(restarting.status).toBe(202);
  for (const [answer, topic] of [
    [await client.untilEnded(running.id), 'long story'],
    [await client.untilEnded(waiting.id), 'winter'],
    [await asking, 'harbour'],
  ] as const)
    expect([answer.status, answer.model, textOf(answer)]).toEqual(['completed', 'tales', taleText(topic)]);
});
