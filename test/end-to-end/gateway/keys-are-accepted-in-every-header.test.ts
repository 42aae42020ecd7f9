import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { echo } from '../../fakes/scenarios.ts';
import { type FakeBackend, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { keyFileText } from '../../harness/key-file-text.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { chatOf, postOf } from '../../harness/raw-request.ts';
import { startTestGateway, type TestGateway } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';

const good = 'sk-good-0123456789abcdefghijklmnopqrstuvwxyz01';
const secretOf = (id: string) => `sk-${id}-${'x'.repeat(40)}`;
const beyondAscii = 'schlüssel-łódź-schlüssel';
const keys = {
  good: { secret: good },
  disabled: { secret: secretOf('disabled'), disabled: true },
  expired: { secret: secretOf('expired'), expires: Date.now() - 1000 },
  native: { secret: secretOf('native'), scopes: ['native'] },
  other: { secret: secretOf('other'), models: ['another-model'] },
} as const;

let fakeBackend: FakeBackend;
let corral: TestGateway;
beforeAll(async () => {
  fakeBackend = await startFakeBackend(echo);
  corral = await startTestGateway({
    backend: fakeBackend.backend,
    keys: keyFileText(keys),
    env: { API_KEYS: `inline:${secretOf('inline')},beyond:${beyondAscii}` },
  });
});
afterAll(async () => {
  await corral.stop();
  await fakeBackend.stop();
});

async function send(headers: readonly string[], path = '/v1/chat/completions', port = corral.port) {
  await using client = await RawClient.connect(port);
  const response = await client.send(postOf(chatOf('hello'), { path, secret: null, headers })).response();
  return {
    status: response?.status,
    headers: response?.headers ?? {},
    body: JSON.parse(response?.body ?? ''),
  };
}

describe('accepted', () => {
  it.each([
    `Authorization: Bearer ${good}`,
    `authorization: bearer ${good}`,
    `AUTHORIZATION: BEARER    ${good}  `,
    `Authorization: ${good}`,
    `x-api-key: ${good}`,
    `X-Api-Key:${good}`,
    `api-key: ${good}`,
    `x-api-key: ${beyondAscii}`,
    `Authorization: Bearer ${beyondAscii}`,
    `Authorization: Bearer ${secretOf('inline')}`,
  ])('%s', async (header) => {
    expect((await send([header])).status).toBe(200);
  });

  it('beside an Authorization header that the platform uses itself', async () => {
    expect((await send(['Authorization: Bearer rpa_of_the_platform', `x-api-key: ${good}`])).status).toBe(
      200,
    );
  });
});

describe('rejected, all with the same error', () => {
  it.each([
    [[]],
    [['Authorization: ']],
    [['Authorization: Bearer']],
    [['Authorization: Bearer ']],
    [['x-api-key: ']],
    [['Authorization: Bearer sk-unknown']],
    [[`Authorization: Basic ${Buffer.from(`user:${good}`).toString('base64')}`]],
    [[`Authorization: Bearer ${good}x`]],
    [[`Authorization: Bearer ${good.slice(0, -1)}`]],
    [[`Authorization: Bearer ${good.toUpperCase()}`]],
    [[`Authorization: Bearer ${secretOf('disabled')}`]],
    [[`Authorization: Bearer ${secretOf('expired')}`]],
    [[`x-api-key: ${secretOf('expired')}`]],
    [[`Cookie: key=${good}`]],
    [[`Authorization: Bearer ${'x'.repeat(8000)}`]],
    [['Authorization: Bearer \xff\xfe']],
  ])('%j', async (headers) => {
    const sent = fakeBackend.received.length;
    const response = await send(headers);
    expect(response.status).toBe(401);
    expect(response.headers['www-authenticate']).toBe('Bearer');
    expect(response.body).toEqual({
      error: {
        message: expect.stringMatching(/^Missing or invalid API key\. Send a valid key in /),
        type: 'invalid_request_error',
        param: 'authorization',
        code: 'invalid_api_key',
      },
    });
    expect(fakeBackend.received).toHaveLength(sent);
  });

  it("in Anthropic's format on its routes", async () => {
    const { status, body } = await send([`x-api-key: ${secretOf('disabled')}`], '/v1/messages');
    expect(status).toBe(401);
    expect(body).toMatchObject({ type: 'error', error: { type: 'authentication_error' } });
  });
});

describe('not allowed', () => {
  it.each([
    ['native', '/v1/chat/completions', 'insufficient_scope'],
    ['good', '/tokenize', 'insufficient_scope'],
    ['other', '/v1/chat/completions', 'model_not_allowed'],
  ] as const)('%s on %s', async (id, path, code) => {
    const { status, body } = await send([`x-api-key: ${keys[id].secret}`], path);
    expect(status).toBe(403);
    expect(body.error).toMatchObject({ type: 'permission_error', code });
  });

  it('the list of models contains only those that the key may use', async () => {
    const list = (secret: string) =>
      fetch(`${corral.origin}/v1/models`, { headers: { 'x-api-key': secret } }).then((response) =>
        response.json(),
      );
    expect(await list(keys.other.secret)).toEqual({ object: 'list', data: [], models: [] });
    expect(await list(good)).toMatchObject({ data: [{ id: 'fake-model' }] });
  });
});

it('probes need no key, the list of models does', async () => {
  for (const path of ['/ping', '/health?x=1', '/livez', '/readyz']) {
    expect([path, (await fetch(corral.origin + path)).status]).toEqual([path, 200]);
  }
  expect((await fetch(`${corral.origin}/v1/models`)).status).toBe(401);
});

it('a key in the file format of llama-gguf-inference works until its line is removed', async () => {
  await using corral = await startTestGateway({
    backend: fakeBackend.backend,
    keys: `old:${secretOf('old')}:120:2099-01-01\n`,
  });
  const header = `Authorization: ${secretOf('old')}`;
  expect((await send([header], undefined, corral.port)).status).toBe(200);
  writeFileSync(corral.keyFile, `new:${secretOf('new')}\n`);
  await waitFor(
    'the old key to be rejected',
    async () => (await send([header], undefined, corral.port)).status === 401,
  );
  expect((await send([`api-key: ${secretOf('new')}`], undefined, corral.port)).status).toBe(200);
  writeFileSync(corral.keyFile, '{"version":1,"keys":[]}');
  await waitFor(
    'no key to be known',
    async () => (await send([`api-key: ${secretOf('new')}`], undefined, corral.port)).status === 401,
  );
});

it('no key is needed if authentication is disabled', async () => {
  await using open = await startTestGateway({ backend: fakeBackend.backend, env: { AUTH_ENABLED: 'false' } });
  for (const headers of [[], ['Authorization: Bearer sk-unknown']]) {
    expect((await send(headers, undefined, open.port)).status).toBe(200);
  }
});
