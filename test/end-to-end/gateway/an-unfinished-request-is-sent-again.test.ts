import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { delta, startStream } from '../../fakes/scenarios.ts';
import { type FakeBackend, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { chatOf, postOf } from '../../harness/raw-request.ts';
import { startTestGateway, type TestGateway } from '../../harness/start-gateway.ts';

let standIn: FakeBackend;
let corral: TestGateway;
let deaths = 0;

beforeAll(async () => {
  standIn = await startFakeBackend((_, response) => {
    if (deaths-- > 0) response.socket?.destroy();
    else response.setHeader('content-type', 'application/json').end('{"choices":[]}');
  });
  corral = await startTestGateway({ backend: standIn.backend, env: { MAX_REPLAYS: '3' } });
});
afterAll(async () => {
  await corral.stop();
  await standIn.stop();
});

let before: number;
beforeEach(() => {
  before = standIn.received.length;
});

async function ask(fields = {}) {
  await using client = await RawClient.connect(corral.port);
  return await client.send(postOf(chatOf('hello', fields))).answer();
}

it.each([{}, { stream: true }])(
  'a request over which the backend died thrice is answered the fourth time',
  async (fields) => {
    deaths = 3;
    expect((await ask(fields))?.status).toBe(200);
    expect(standIn.received.length - before).toBe(4);
    expect(corral.logged.findLast(({ status }) => status)).toMatchObject({ status: 200, retries: 3 });
  },
);

it('one that kills every time is refused, so that it does not kill for ever', async () => {
  deaths = 100;
  const answer = await ask();
  deaths = 0;
  expect(answer?.status).toBe(502);
  expect(JSON.parse(answer?.body ?? '').error).toMatchObject({
    code: 'bad_gateway',
    message: expect.stringContaining('failed 4 times while processing this request'),
  });
  expect(answer?.headers['x-should-retry']).toBe('false');
  expect(standIn.received.length - before).toBe(4);
  const [{ body = '' } = {}] = standIn.received.slice(-1);
  const digest = createHash('sha256').update(body).digest('hex').slice(0, 16);
  expect(corral.logged.findLast(({ status }) => status)).toMatchObject({
    status: 502,
    error: 'bad_gateway',
    retries: 3,
    digest,
  });
});

it('one that kills after a word gets on, and is not taken for the cause', async () => {
  standIn.mood = (_, response) => {
    if (deaths-- > 0) startStream(response).write(delta('word '), () => response.socket?.destroy());
    else startStream(response).end(`${delta('end')}data: [DONE]\n\n`);
  };
  deaths = 9;
  const answer = await ask({ stream: true });
  expect(answer?.body.match(/word |end/g)?.join('')).toBe(`${'word '.repeat(9)}end`);
});

it('no lease is left behind', () => {
  expect(corral.gateway.scheduler.counts).toMatchObject({ leased: 0, waiting: 0 });
});
