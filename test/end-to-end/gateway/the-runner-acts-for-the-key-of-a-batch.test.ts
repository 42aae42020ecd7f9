import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { noUsage } from '../../../gateway/api/usage.ts';
import { type FakeBackend, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { keyFileText } from '../../harness/key-file-text.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { chatOf, postOf } from '../../harness/raw-request.ts';
import { startTestGateway, type TestGateway } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';

const runnerKey = 'sk-of-the-runner';
const scopes = ['inference', 'batch'] as const;
const limits = { requestsPerMinute: 1, tokensPerDay: 1000 };
const secretOf = (id: string) => `sk-${id}`;
const keys = {
  app: { secret: secretOf('app'), scopes, limits },
  größe: { secret: secretOf('umlaut'), scopes },
  plain: { secret: secretOf('plain'), scopes: ['inference'] },
  files: { secret: secretOf('files'), scopes: ['batch'] },
  off: { secret: secretOf('off'), scopes, disabled: true },
  old: { secret: secretOf('old'), scopes, expires: 1 },
} as const;

let fake: FakeBackend;
let corral: TestGateway;
beforeAll(async () => {
  fake = await startFakeBackend((_, response) => {
    response
      .setHeader('content-type', 'application/json')
      .end('{"usage":{"prompt_tokens":3,"completion_tokens":2}}');
  });
});
beforeEach(async () => {
  corral = await startTestGateway({
    backend: fake.backend,
    keys: keyFileText(keys),
    env: { RUNNER_KEY: runnerKey },
  });
  return () => corral.stop();
});
afterAll(() => fake.stop());

async function send(secret: string, onBehalfOf: string, port = corral.port) {
  await using client = await RawClient.connect(port);
  const headers = [`x-corral-on-behalf-of: ${encodeURIComponent(onBehalfOf)}`, 'x-corral-batch: batch_1'];
  const response = await client.send(postOf(chatOf('hi'), { secret, headers })).response();
  return { status: response?.status, code: JSON.parse(response?.body || '{}').error?.code };
}

const logged = (status: number) =>
  waitFor('the line of the request', () =>
    corral.logged.find((line) => line.path === '/v1/chat/completions' && line.status === status),
  );

it.each(['app', 'größe'])('its requests are those of %s, and their batch is in the log', async (id) => {
  expect(await send(runnerKey, id)).toEqual({ status: 200, code: undefined });
  expect(await logged(200)).toMatchObject({ key: id, batch: 'batch_1' });
  await waitFor('the usage in the ledger', () => corral.gateway.ledger.today(id, Date.now()).input === 3);
  expect(JSON.stringify(fake.received.at(-1)?.headers)).not.toMatch(/behalf|batch|runner/);
});

it.each([
  ['unknown', 'nobody', 401, 'invalid_api_key'],
  ['unnamed', '', 401, 'invalid_api_key'],
  ['disabled', 'off', 401, 'invalid_api_key'],
  ['expired', 'old', 401, 'invalid_api_key'],
  ['without the scope batch', 'plain', 403, 'insufficient_scope'],
  ['without the scope inference', 'files', 403, 'insufficient_scope'],
])('it cannot act for a key that is %s', async (_, id, status, code) => {
  expect(await send(runnerKey, id)).toEqual({ status, code });
});

it('a key that is disabled meanwhile stops at once', async () => {
  expect(await send(runnerKey, 'app')).toMatchObject({ status: 200 });
  writeFileSync(corral.keyFile, keyFileText({ ...keys, app: { ...keys.app, disabled: true } }));
  await corral.gateway.reloadKeys();
  expect(await send(runnerKey, 'app')).toMatchObject({ status: 401 });
});

it('lines of batches do not use up the requests per minute, but the tokens of the day', async () => {
  for (let n = 0; n < 3; n++) expect(await send(runnerKey, 'app')).toMatchObject({ status: 200 });
  expect(await send(secretOf('app'), '')).toMatchObject({ status: 200 });
  expect(await send(secretOf('app'), '')).toMatchObject({ status: 429, code: 'rate_limit_exceeded' });
  const usage = { ...noUsage, input: 1000 };
  corral.gateway.ledger.record({ keyId: 'app', at: Date.now(), previousSecret: false, usage });
  expect(await send(runnerKey, 'app')).toMatchObject({ status: 429, code: 'insufficient_quota' });
});

it('from all others the header means nothing', async () => {
  expect(await send(secretOf('plain'), 'app')).toMatchObject({ status: 200 });
  expect(await logged(200)).toMatchObject({ key: 'plain' });
  expect(await logged(200)).not.toHaveProperty('batch');
  expect(await send('sk-wrong', 'app')).toMatchObject({ status: 401 });
  await using without = await startTestGateway({ backend: fake.backend, keys: keyFileText(keys) });
  expect(await send(runnerKey, 'app', without.port)).toMatchObject({ status: 401 });
});

it('without authentication a line of a batch has no key', async () => {
  await using open = await startTestGateway({
    backend: fake.backend,
    env: { RUNNER_KEY: runnerKey, AUTH_ENABLED: 'false' },
  });
  expect(await send(runnerKey, '', open.port)).toMatchObject({ status: 200 });
  const line = await waitFor('the line of the request', () =>
    open.logged.find((it) => it.batch !== undefined),
  );
  expect(line).toMatchObject({ batch: 'batch_1', status: 200 });
  expect(line).not.toHaveProperty('key');
});
