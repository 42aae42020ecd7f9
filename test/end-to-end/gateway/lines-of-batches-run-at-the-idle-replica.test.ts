import { writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { formatBackendUrl } from '../../../health/backend.ts';
import { tokensOf } from '../../fakes/scenarios.ts';
import { type FakeBackend, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { postOf } from '../../harness/raw-request.ts';
import { newFolder } from '../../harness/start-deployment.ts';
import { startTestGateway, type TestGateway } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';

const runnerKey = 'sk-of-the-runner';

/** Two replicas of one model with two slots each. */
let fakes: readonly [FakeBackend, FakeBackend];
let corral: TestGateway;
/** What is at each engine, in the order of arrival. */
let held: readonly [Map<string, ServerResponse>, Map<string, ServerResponse>];
let clients: RawClient[];

beforeEach(async () => {
  [held, clients] = [[new Map(), new Map()], []];
  const start = async (at: Map<string, ServerResponse>) => {
    const busy = () => `llamacpp:requests_processing ${fake.open}\nllamacpp:requests_deferred 0\n`;
    const fake = await startFakeBackend(
      (request, response) => {
        at.set(tokensOf(request), response);
        response.once('close', () => at.delete(tokensOf(request)));
      },
      { slots: 2, metrics: busy },
    );
    return fake;
  };
  fakes = [await start(held[0]), await start(held[1])];
  const backends = fakes.map(({ backend }) => formatBackendUrl(backend.address));
  const file = join(newFolder(), 'models.json');
  writeFileSync(file, JSON.stringify({ version: 1, models: [{ id: 'a', backends }] }));
  corral = await startTestGateway({
    backend: fakes[0].backend,
    untilReady: false,
    env: { MODELS_FILE: file, RUNNER_KEY: runnerKey, BATCH_SLOTS: '2', AUTH_ENABLED: 'false' },
  });
  await waitFor('all engines', () => scheduler().counts.capacity === 4);
});
afterEach(async () => {
  for (const { socket } of clients) socket.destroy();
  await corral.stop();
  await Promise.all(fakes.map((fake) => fake.stop()));
});

const scheduler = () => corral.gateway.overview.scheduler;
const words = () => held.map((at) => [...at.keys()].sort());
const isThere = (word: string) => waitFor(`${word} at an engine`, () => words().flat().includes(word));

async function send(word: string, headers: readonly string[] = []): Promise<RawClient> {
  const client = await RawClient.connect(corral.port);
  clients.push(client);
  const body = { model: 'a', messages: [{ role: 'user', content: word }] };
  return client.send(postOf(body, { headers, secret: runnerKey }));
}
const sendLine = (word: string) => send(word, ['x-corral-on-behalf-of: ', 'x-corral-batch: batch_1']);

/** Ends the response to a line, which is requested as a stream, or to a client. */
function end(word: string): void {
  const response = held.flatMap((at) => at.get(word) ?? [])[0];
  const delta = JSON.stringify({ choices: [{ index: 0, delta: { content: word } }] });
  const finish = JSON.stringify({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });
  response
    ?.setHeader('content-type', 'text/event-stream')
    .end(`data: ${delta}\n\ndata: ${finish}\n\ndata: [DONE]\n\n`);
}

it('a line runs where slots are idle, and the next one where a slot becomes idle', async () => {
  for (const word of ['client 1', 'client 2']) {
    await send(word);
    await isThere(word);
  }
  expect(words().map((at) => at.length)).toEqual([1, 1]);
  const first = await sendLine('line 1');
  await isThere('line 1');
  await sendLine('line 2');
  await isThere('line 2');
  expect(words().map((at) => at.length)).toEqual([2, 2]);
  await sendLine('line 3');
  await waitFor('the line in line', () => scheduler().batches.waiting === 1);
  end('line 1');
  expect((await first.response())?.headers['x-corral-batch-slots']).toBe('4');
  await isThere('line 3');
  await sendLine('line 4');
  await waitFor('the line in line', () => scheduler().batches.waiting === 1);
  end('client 1');
  await isThere('line 4');
  expect(scheduler().batches).toEqual({ capacity: 4, leased: 3, waiting: 0 });
});

it('as many lines are cut off as clients come, and go on when those have ended', async () => {
  for (let n = 1; n <= 4; n++) {
    await sendLine(`line ${n}`);
    await isThere(`line ${n}`);
  }
  expect(words().map((at) => at.length)).toEqual([2, 2]);
  for (const word of ['client 1', 'client 2']) {
    await send(word);
    await isThere(word);
  }
  await waitFor('the lines in line', () => scheduler().batches.waiting === 2);
  expect(scheduler().batches).toEqual({ capacity: 4, leased: 2, waiting: 2 });
  const lines = () => words().flatMap((at) => at.filter((word) => word.startsWith('line')));
  await waitFor('their end at the engines', () => lines().sort().join() === 'line 1,line 2');
  for (const client of ['client 1', 'client 2']) end(client);
  for (const line of ['line 3', 'line 4']) await isThere(line);
  await waitFor('all lines', () => words().flat().sort().join() === 'line 1,line 2,line 3,line 4');
});
