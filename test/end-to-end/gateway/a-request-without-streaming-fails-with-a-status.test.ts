import { afterAll, beforeAll, expect, it } from 'vitest';
import { formatEvent } from '../../../sse/sse.ts';
import { delta, silent, startStream } from '../../fakes/scenarios.ts';
import { type BackendScenario, type FakeBackend, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { gatewayIsIdle } from '../../harness/gateway-idle.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { chatOf, postOf } from '../../harness/raw-request.ts';
import { startTestGateway, type TestGateway } from '../../harness/start-gateway.ts';

let fakeBackend: FakeBackend;
let corral: TestGateway;
/** Its idle limit is short; that of `corral` is longer than the test. */
let shortTimeouts: TestGateway;
beforeAll(async () => {
  fakeBackend = await startFakeBackend(silent);
  const open = (idle: string) =>
    startTestGateway({ backend: fakeBackend.backend, env: { STREAM_IDLE_TIMEOUT: idle } });
  [corral, shortTimeouts] = [await open('1h'), await open('300ms')];
});
afterAll(async () => {
  await corral.stop();
  await shortTimeouts.stop();
  await fakeBackend.stop();
});

async function responseTo(scenario: BackendScenario, gateway = corral) {
  fakeBackend.scenario = scenario;
  await using client = await RawClient.connect(gateway.port);
  const response = await client.send(postOf(chatOf('hello'))).response();
  await gatewayIsIdle(gateway, fakeBackend);
  return { ...response, json: JSON.parse(response?.body ?? '') };
}

const finish = formatEvent({ choices: [{ index: 0, finish_reason: 'stop', delta: {} }] });
const full = { error: { code: 500, message: 'Context size has been exceeded.', type: 'server_error' } };

const failures: Record<string, readonly [BackendScenario, number, object]> = {
  'cut off in the middle': [
    (_, response) => void startStream(response).write(delta('one'), () => response.destroy()),
    502,
    { code: 'bad_gateway', type: 'server_error' },
  ],
  'ended without its end mark': [
    (_, response) => void startStream(response).end(delta('one') + finish),
    502,
    { code: 'bad_gateway' },
  ],
  'ended before its choice had finished': [
    (_, response) => void startStream(response).end(`${delta('one')}data: [DONE]\n\n`),
    502,
    { code: 'bad_gateway' },
  ],
  'no JSON': [
    (_, response) => void startStream(response).end('data: {oh\n\ndata: [DONE]\n\n'),
    502,
    { code: 'bad_gateway' },
  ],
  'broken by the engine, which says why': [
    (_, response) => void startStream(response).end(`${delta('one')}data: ${JSON.stringify(full)}\n\n`),
    500,
    { message: 'Context size has been exceeded.', code: 'internal_error', type: 'server_error' },
  ],
  'larger than the limit': [
    (_, response) => {
      startStream(response);
      const writeMore = () => {
        while (!response.destroyed && response.write(delta('word '.repeat(20_000)))) {}
      };
      response.on('drain', writeMore);
      writeMore();
    },
    502,
    { code: 'answer_too_large' },
  ],
};

it.each(Object.entries(failures))(
  'a response that is %s fails with a status',
  async (_, [scenario, status, error]) => {
    const response = await responseTo(scenario);
    expect(response.status).toBe(status);
    expect(response.json.error).toMatchObject(error);
  },
);

it('a response that is too large to aggregate or rewrite fails with a status', async () => {
  fakeBackend.scenario = (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const piece = Buffer.alloc(1024 ** 2, ' ');
    const writeMore = () => {
      while (!response.destroyed && response.write(piece)) {}
    };
    response.on('drain', writeMore);
    writeMore();
  };
  const result = await fetch(`${corral.origin}/v1/responses`, {
    method: 'POST',
    headers: { authorization: `Bearer ${corral.secret}`, 'content-type': 'application/json' },
    body: JSON.stringify({ input: 'x', max_output_tokens: 3 }),
  });
  expect([result.status, await result.json()]).toMatchObject([502, { error: { code: 'answer_too_large' } }]);
  await gatewayIsIdle(corral, fakeBackend);
});

it('a response that takes too long fails with a status', async () => {
  const result = await responseTo(
    (_, response) => void startStream(response).write(delta('one')),
    shortTimeouts,
  );
  expect(result.status).toBe(504);
  expect(result.json.error.code).toBe('request_timeout');
});

it('a response in small pieces is complete all the same', async () => {
  const complete = `:\n\n${delta('grün')}:\n\n${delta(' und "blau"')}${finish}data: [DONE]\n`;
  const result = await responseTo(async (_, response) => {
    startStream(response);
    for (const byte of Buffer.from(complete)) {
      await new Promise((resolve) => response.write(Buffer.of(byte), resolve));
    }
    response.end();
  });
  expect(result.status).toBe(200);
  expect(result.json.choices).toEqual([
    { index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'grün und "blau"' } },
  ]);
});
