import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { storyText } from '../../../cli/demo-model/stories.ts';
import { formatBackendUrl } from '../../../health/backend.ts';
import { parseEvents } from '../../../sse/sse.ts';
import { chatTextIn } from '../../harness/request-events.ts';
import { newFolder } from '../../harness/start-deployment.ts';
import { startTestGateway, type TestGateway } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { type LlamaServer, startLlamaServer } from '../../services/start-llama-server.ts';

let servers: readonly LlamaServer[];
let corral: TestGateway;

beforeAll(async () => {
  servers = await Promise.all([
    startLlamaServer({ apiKey: null, slots: 2 }),
    startLlamaServer({ apiKey: null, slots: 2 }),
  ]);
  const file = join(newFolder(), 'models.json');
  const backends = servers.map(({ backend }) => formatBackendUrl(backend.address));
  const models = [
    { id: 'guide', backends },
    { id: 'own', path: '/m/own.gguf' },
  ];
  writeFileSync(file, JSON.stringify({ version: 1, models }));
  const [first] = servers;
  if (first === undefined) throw new Error('no server');
  corral = await startTestGateway({ backend: first.backend, untilReady: false, env: { MODELS_FILE: file } });
  await waitFor('both backends', () => slots() === 4);
});
afterAll(async () => {
  await corral?.stop();
  await Promise.all(servers.map((server) => server.stop()));
});

const slots = () => corral.gateway.overview.scheduler.counts.capacity;

function ask(model: string, stream: boolean): Promise<Response> {
  const messages = [{ role: 'user', content: 'A long story' }];
  return fetch(`${corral.origin}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${corral.secret}` },
    body: JSON.stringify({ model, messages, stream }),
  });
}

it('and go on with the requests of one that dies', async () => {
  const streams = await Promise.all(Array.from({ length: 4 }, () => ask('guide', true)));
  const reading = streams.map((response) => response.text());
  servers[0]?.kill('SIGKILL');
  for (const text of await Promise.all(reading))
    expect(chatTextIn(parseEvents(text))).toBe(storyText('long story'));
  await waitFor('the end of the dead one', () => slots() === 2);
  expect((await ask('guide', false)).status).toBe(200);
});

it('and models that nobody runs are unknown, which the log explains', async () => {
  expect((await ask('guide', true)).status).toBe(200);
  const models = await fetch(`${corral.origin}/v1/models`, {
    headers: { authorization: `Bearer ${corral.secret}` },
  });
  expect(((await models.json()) as { data: { id: string }[] }).data.map(({ id }) => id)).toEqual(['guide']);
  expect(corral.logged.map(({ models: names }) => names)).toContain('own');
});
