import { afterAll, beforeAll, expect, it } from 'vitest';
import { formatEvent } from '../../../sse/sse.ts';
import { delta, startStream } from '../../fakes/scenarios.ts';
import { type BackendScenario, type FakeBackend, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { askCached } from '../../harness/ask-cached.ts';
import { chatOf } from '../../harness/raw-request.ts';
import { startTestGateway, type TestGateway, testerSecret } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';

let fakeBackend: FakeBackend;
let corral: TestGateway;
beforeAll(async () => {
  fakeBackend = await startFakeBackend(() => {});
  corral = await startTestGateway({
    backend: fakeBackend.backend,
    env: { RESPONSE_CACHE: 'memory', RESPONSE_CACHE_SIZE: '1MiB', MAX_REPLAYS: '2' },
  });
});
afterAll(async () => {
  await corral?.stop();
  await fakeBackend?.stop();
});

const whole: BackendScenario = (_, response) =>
  startStream(response).end(
    `${delta('one')}${delta('two')}${formatEvent({ choices: [{ delta: {}, finish_reason: 'stop' }] })}data: [DONE]\n\n`,
  );
const errorEvent = formatEvent({ error: { code: 500, message: 'broken', type: 'server_error' } });

const streamOf = (word: string) => chatOf(word, { temperature: 0, stream: true });
const ask = (body: object) => askCached(corral.origin, testerSecret, body);
/** What the cache says of the same request once the engine answers it. */
async function whatIsKept(body: object): Promise<string | null> {
  fakeBackend.scenario = whole;
  return (await ask(body)).cache;
}

it('not one whose client leaves in the middle', async () => {
  let finish = () => {};
  fakeBackend.scenario = (_, response) => {
    startStream(response).write(delta('one'));
    finish = () => response.end('data: [DONE]\n\n');
  };
  const controller = new AbortController();
  const response = await fetch(`${corral.origin}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${testerSecret}`, 'content-type': 'application/json' },
    body: JSON.stringify(streamOf('leaves')),
    signal: controller.signal,
  });
  expect(response.headers.get('x-corral-cache')).toBe('miss');
  await response.body?.getReader().read();
  controller.abort();
  await waitFor('the request to end', () => corral.gateway.scheduler.leasesOut === 0);
  finish();
  expect(await whatIsKept(streamOf('leaves'))).toBe('miss');
});

it.each<[string, BackendScenario]>([
  ['that ends with an error event', (_, response) => startStream(response).end(delta('one') + errorEvent)],
  [
    'that is cut off',
    (_, response) => void startStream(response).write(delta('one'), () => response.destroy()),
  ],
  ['without its end', (_, response) => startStream(response).end(delta('one'))],
  ['that is an error', (_, response) => response.writeHead(400).end('{"error":{"code":400,"message":"no"}}')],
  [
    'that is larger than an eighth of the cache',
    (_, response) => startStream(response).end(`${delta('x'.repeat(140_000))}data: [DONE]\n\n`),
  ],
])('not one %s', async (name, scenario) => {
  const body = streamOf(name);
  fakeBackend.scenario = scenario;
  expect((await ask(body)).cache).toBe('miss');
  expect(await whatIsKept(body)).toBe('miss');
  expect(await whatIsKept(body)).toBe('hit');
});

it('not one that was sent again after its engine had failed', async () => {
  let tries = 0;
  fakeBackend.scenario = (request, response) => {
    tries += 1;
    if (tries === 1) response.destroy();
    else whole(request, response);
  };
  const body = streamOf('again');
  expect(await ask(body)).toMatchObject({ status: 200, cache: 'miss' });
  expect(tries).toBe(2);
  expect(await whatIsKept(body)).toBe('miss');
});

it('one that a backend gave is not found any more when another one may be at its address', async () => {
  const body = streamOf('replaced');
  expect(await whatIsKept(body)).toBe('miss');
  expect(await whatIsKept(body)).toBe('hit');
  const { props } = fakeBackend;
  fakeBackend.props = { ...props, build_info: 'another build' };
  await corral.gateway.monitor.refresh();
  expect(await whatIsKept(body)).toBe('miss');
  fakeBackend.health = 503;
  await waitFor('it to be away', () => corral.gateway.monitor.status !== 'ready');
  fakeBackend.health = 200;
  await waitFor('it to be back', () => corral.gateway.monitor.status === 'ready');
  expect(await whatIsKept(body)).toBe('miss');
});

it('not one whose parts two engines gave, of which one may run something else', async () => {
  const input = Array.from({ length: 8 }, (_, n) => `text ${n}`);
  const embed: BackendScenario = ({ body }, response) => {
    const data = (JSON.parse(body).input as string[]).map((_, index) => ({ index, embedding: [0] }));
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ object: 'list', data }));
  };
  const askForEmbeddings = () =>
    askCached(corral.origin, testerSecret, { input }, { path: '/v1/embeddings' });
  let parts = 0;
  fakeBackend.scenario = async (request, response) => {
    parts += 1;
    if (parts === 2) {
      fakeBackend.props = { ...fakeBackend.props, build_info: 'the second build' };
      await corral.gateway.monitor.refresh();
    }
    embed(request, response);
  };
  expect((await askForEmbeddings()).cache).toBe('miss');
  expect(parts).toBe(2);
  fakeBackend.scenario = embed;
  expect((await askForEmbeddings()).cache).toBe('miss');
  expect((await askForEmbeddings()).cache).toBe('hit');
});
