import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { formatBackendUrl } from '../../../health/backend.ts';
import { newFolder } from '../../harness/start-deployment.ts';
import { startTestGateway, type TestGateway } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { type LlamaServer, startLlamaServer } from '../../services/start-llama-server.ts';

let servers: readonly [LlamaServer, LlamaServer];
let corral: TestGateway;
const folder = newFolder();
const keyFile = join(folder, 'key');

beforeAll(async () => {
  servers = [
    await startLlamaServer({ apiKey: 'right', slots: 2 }),
    await startLlamaServer({ apiKey: null, slots: 2 }),
  ];
  const [locked, open] = servers.map(({ backend }) => formatBackendUrl(backend.address));
  const models = [{ id: 'guide', backends: [{ url: locked, keyFile }, open] }];
  const file = join(folder, 'models.json');
  writeFileSync(file, JSON.stringify({ version: 1, models }));
  writeFileSync(keyFile, 'wrong', { mode: 0o600 });
  const [{ backend }] = servers;
  corral = await startTestGateway({ backend, untilReady: false, env: { MODELS_FILE: file } });
});
afterAll(async () => {
  await corral?.stop();
  await Promise.all(servers?.map((server) => server.stop()) ?? []);
});

const logs = (text: string) =>
  waitFor(text, () => corral.logged.some(({ msg, message = msg }) => String(message).includes(text)));

async function ask(): Promise<number> {
  const response = await fetch(`${corral.origin}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${corral.secret}` },
    body: JSON.stringify({ model: 'guide', max_tokens: 4, messages: [{ role: 'user', content: 'Hello' }] }),
  });
  await response.text();
  return response.status;
}

const askAll = async () => new Set(await Promise.all(Array.from({ length: 8 }, ask)));
const capacity = () => corral.gateway.overview.scheduler.counts.capacity;

it('and one that rejects our key gets no requests while another one serves', async () => {
  await logs('the backend rejects our key');
  await waitFor('the other backend', () => capacity() >= 3);
  expect(await askAll()).toEqual(new Set([200]));
});

it('and is used as soon as the file has the right key, without a restart', async () => {
  writeFileSync(keyFile, 'right\n');
  await waitFor('the slots of both', () => capacity() === 4);
  expect(await askAll()).toEqual(new Set([200]));
});

it('and stays in use when the file is gone, which the log says', async () => {
  rmSync(keyFile);
  await logs('is missing; the key of before stays in use');
  expect(capacity()).toBe(4);
  expect(await askAll()).toEqual(new Set([200]));
});
