import { execFileSync } from 'node:child_process';
import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { storyText } from '../../../cli/demo-model/stories.ts';
import { keyFileText } from '../../harness/key-file-text.ts';
import {
  type Answer,
  deltasOf,
  demoRequest,
  type ResponsesClient,
  responsesClient,
  textOf,
} from '../../harness/responses-client.ts';
import { testerSecret } from '../../harness/start-gateway.ts';
import { startGatewayProcess } from '../../harness/start-gateway-process.ts';
import { temporaryFolder } from '../../harness/temporary-folder.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { type LlamaServer, startLlamaServer } from '../../services/start-llama-server.ts';

let llama: LlamaServer;
beforeAll(async () => {
  llama = await startLlamaServer();
});
afterAll(() => llama.stop());

const unlimited = { MAX_REQUESTS_PER_MINUTE: '0' };

const post = (client: ResponsesClient, fields: object) =>
  client.send('POST /v1/responses', demoRequest({ input: 'keys', ...fields }));
const codeOf = ({ status, body }: Answer) => [status, body.error?.code];

/** Those who do not ask for the store are served, and are told that nothing is kept. */
async function expectServed(client: ResponsesClient) {
  const { status, body } = await post(client, {});
  expect([status, textOf(body), body.store]).toEqual([200, storyText('keys'), false]);
  expect((await client.send(`GET /v1/responses/${body.id}`)).status).not.toBe(200);
  await using stream = await client.stream({ input: 'emoji' });
  const events = await stream.ended;
  expect(deltasOf(events)).toBe(storyText('emoji'));
  expect(events.at(-1)).toMatchObject({ type: 'response.completed', response: { store: false } });
  const chat = { model: 'demo', temperature: 0, messages: [{ role: 'user', content: 'keys' }] };
  const { body: completion } = await client.send('POST /v1/chat/completions', chat);
  expect(completion.choices[0].message.content).toBe(storyText('keys'));
}

/** All writes of the process to files fail, or work again. */
const limitWrites = (pid: number | undefined, size: '0' | 'unlimited') =>
  execFileSync('prlimit', ['--pid', String(pid), `--fsize=${size}:unlimited`]);

it('a full disk', async () => {
  await using folder = await temporaryFolder();
  writeFileSync(folder.file('keys.json'), keyFileText({ tester: { secret: testerSecret } }), { mode: 0o600 });
  const env = { DATA_DIR: folder.path, STORE: 'on', GPU_METRICS: 'off', ...unlimited };
  await using corral = await startGatewayProcess(llama.backend, env);
  const client = responsesClient(corral.origin, testerSecret);
  const kept = await client.create({ input: 'keys' });
  limitWrites(corral.process.pid, '0');
  await expectServed(client);
  expect(codeOf(await post(client, { store: true }))).toEqual([507, 'disk_full']);
  expect(codeOf(await post(client, { previous_response_id: kept.id }))).toEqual([507, 'disk_full']);
  expect(codeOf(await post(client, { background: true }))).toEqual([507, 'disk_full']);
  expect(codeOf(await client.send('POST /v1/conversations', {}))).toEqual([507, 'disk_full']);
  await using stream = await client.stream({ input: 'keys', store: true });
  const events = await stream.ended;
  expect(events.map(({ type }) => type).slice(-2)).toEqual(['response.failed', 'error']);
  expect(events.some(({ type }) => type === 'response.completed')).toBe(false);
  expect((await client.send(`GET /v1/responses/${kept.id}`)).body.id).toBe(kept.id);

  limitWrites(corral.process.pid, 'unlimited');
  const { id } = await client.create({ input: 'keys', store: true, previous_response_id: kept.id });
  expect((await client.send(`GET /v1/responses/${id}`)).body.previous_response_id).toBe(kept.id);
});

it('a volume on which the store cannot be opened', async () => {
  await using folder = await temporaryFolder();
  // Even root cannot open a folder as a database.
  mkdirSync(folder.file('store.sqlite'));
  writeFileSync(folder.file('keys.json'), keyFileText({ tester: { secret: testerSecret } }), { mode: 0o600 });
  const env = { DATA_DIR: folder.path, STORE: 'on', GPU_METRICS: 'off', ...unlimited };
  await using corral = await startGatewayProcess(llama.backend, env);
  const client = responsesClient(corral.origin, testerSecret);
  await expectServed(client);
  const unavailable = [503, 'store_unavailable'];
  const id = `resp_${'0'.repeat(32)}`;
  expect(codeOf(await post(client, { store: true }))).toEqual(unavailable);
  expect(codeOf(await post(client, { previous_response_id: id }))).toEqual(unavailable);
  expect(codeOf(await post(client, { background: true }))).toEqual(unavailable);
  expect(codeOf(await client.send(`GET /v1/responses/${id}`))).toEqual(unavailable);
  expect(codeOf(await client.send('POST /v1/conversations', {}))).toEqual(unavailable);
  rmdirSync(folder.file('store.sqlite'));
  await waitFor('responses to be stored', async () => (await post(client, { store: true })).status === 200, {
    every: 200,
  });
});
