import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { delta, startStream } from '../../fakes/scenarios.ts';
import { type FakeBackend, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { gatewayIsIdle } from '../../harness/gateway-idle.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { chatOf, postOf } from '../../harness/raw-request.ts';
import { startTestGateway, type TestGateway } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';

let fake: FakeBackend;
let corral: TestGateway;
let crashes = 0;

beforeAll(async () => {
  fake = await startFakeBackend((_, response) => {
    if (crashes-- > 0) response.socket?.destroy();
    else response.setHeader('content-type', 'application/json').end('{"choices":[]}');
  });
  corral = await startTestGateway({ backend: fake.backend, env: { MAX_REPLAYS: '3' } });
});
afterAll(async () => {
  await corral.stop();
  await fake.stop();
});

let before: number;
let loggedBefore: number;
beforeEach(() => {
  before = fake.received.length;
  loggedBefore = corral.logged.length;
});

/** The log line of the request. It is written when the tokens of the request have been counted. */
const line = () =>
  waitFor('its log line', () => corral.logged.slice(loggedBefore).find(({ status }) => status));

async function send(fields = {}) {
  await using client = await RawClient.connect(corral.port);
  return await client.send(postOf(chatOf('hello', fields))).response();
}

it.each([{}, { stream: true }])(
  'a request at which the backend broke off three times is served at the fourth attempt',
  async (fields) => {
    crashes = 3;
    expect((await send(fields))?.status).toBe(200);
    expect(fake.received.length - before).toBe(4);
    expect(await line()).toMatchObject({ status: 200, retries: 3 });
  },
);

it('a request at which the backend breaks off every time is rejected', async () => {
  crashes = 100;
  const response = await send();
  crashes = 0;
  expect(response?.status).toBe(502);
  expect(JSON.parse(response?.body ?? '').error).toMatchObject({
    code: 'bad_gateway',
    message: expect.stringContaining('failed 4 times while processing this request'),
  });
  expect(response?.headers['x-should-retry']).toBe('false');
  expect(fake.received.length - before).toBe(4);
  const [{ body = '' } = {}] = fake.received.slice(-1);
  const digest = createHash('sha256').update(body).digest('hex').slice(0, 16);
  expect(await line()).toMatchObject({
    status: 502,
    error: 'bad_gateway',
    retries: 3,
    digest,
  });
});

it('a request that makes progress at every attempt is continued until it is complete', async () => {
  fake.scenario = (_, response) => {
    if (crashes-- > 0) startStream(response).write(delta('word '), () => response.socket?.destroy());
    else startStream(response).end(`${delta('end')}data: [DONE]\n\n`);
  };
  crashes = 9;
  const result = await send({ stream: true });
  expect(result?.body.match(/word |end/g)?.join('')).toBe(`${'word '.repeat(9)}end`);
});

it('every lease was returned', () => gatewayIsIdle(corral, fake));
