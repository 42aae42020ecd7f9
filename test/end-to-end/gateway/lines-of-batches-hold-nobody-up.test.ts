import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { echo } from '../../fakes/scenarios.ts';
import { type FakeBackend, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { keyFileText } from '../../harness/key-file-text.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { chatOf, postOf } from '../../harness/raw-request.ts';
import { startTestGateway, type TestGateway, testerSecret } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';

const runnerKey = 'sk-of-the-runner';
const keys = keyFileText({ tester: { secret: testerSecret, scopes: ['inference', 'batch'] } });
const asRunner = { secret: runnerKey, headers: ['x-corral-on-behalf-of: tester', 'x-corral-batch: batch_1'] };

/** Responses that a test ends. */
const held: ServerResponse[] = [];

let fake: FakeBackend;
let corral: TestGateway;
beforeAll(async () => {
  const busy = () => `llamacpp:requests_processing ${fake.open}\nllamacpp:requests_deferred 0\n`;
  fake = await startFakeBackend(
    (request, response) => {
      if (request.body.includes('held')) held.push(response);
      else echo(request, response);
    },
    { slots: 1, metrics: busy },
  );
});
const start = (QUEUE_TIMEOUT: string) =>
  startTestGateway({
    backend: fake.backend,
    keys,
    env: { RUNNER_KEY: runnerKey, MAX_QUEUE_SIZE: '1', QUEUE_TIMEOUT },
  });

beforeEach(async () => {
  held.length = 0;
  corral = await start('1h');
  return () => corral.stop();
});
afterAll(() => fake.stop());

const isHeld = () => waitFor('the line at the engine', () => held.length === 1);
const batches = () => corral.gateway.scheduler.batches;

it('a line of embeddings is left to finish', async () => {
  await using line = await RawClient.connect(corral.port);
  await using client = await RawClient.connect(corral.port);
  line.send(postOf({ input: 'held' }, { ...asRunner, path: '/v1/embeddings' }));
  await isHeld();
  client.send(postOf(chatOf('hi')));
  await waitFor('the queue', () => corral.gateway.scheduler.counts.waiting === 1);
  held[0]?.setHeader('content-type', 'application/json').end('{"data":[],"usage":{"prompt_tokens":1}}');
  expect((await line.response())?.status).toBe(200);
  expect((await client.response())?.status).toBe(200);
  const logged = await waitFor('its log line', () =>
    corral.logged.find(({ batch, status }) => batch && status),
  );
  expect(logged).not.toHaveProperty('preempted');
});

it('lines wait without a limit of number or time, and clients find an empty queue', async () => {
  await corral.stop();
  corral = await start('500ms');
  await using first = await RawClient.connect(corral.port);
  first.send(postOf({ input: 'held' }, { ...asRunner, path: '/v1/embeddings' }));
  await isHeld();
  const lines = await Promise.all(Array.from({ length: 5 }, () => RawClient.connect(corral.port)));
  for (const line of lines) line.send(postOf(chatOf('later'), asRunner));
  await waitFor('the lines in line', () => batches().waiting === 5);
  expect(corral.gateway.scheduler.counts).toEqual({ capacity: 1, leased: 1, waiting: 0 });
  await using client = await RawClient.connect(corral.port);
  client.send(postOf(chatOf('now')));
  expect((await client.response())?.status, 'longer than the lines may wait').toBe(503);
  expect(batches().waiting).toBe(5);
  held[0]?.setHeader('content-type', 'application/json').end('{"data":[],"usage":{"prompt_tokens":1}}');
  for (const line of lines) expect((await line.response())?.status).toBe(200);
  for (const line of lines) await line[Symbol.asyncDispose]();
});

it('a line that has generated nothing is begun anew after the requests of clients', async () => {
  await using line = await RawClient.connect(corral.port);
  line.send(postOf(chatOf('held'), asRunner));
  await isHeld();
  await using client = await RawClient.connect(corral.port);
  client.send(postOf(chatOf('now')));
  expect((await client.response())?.body).toContain('now');
  await waitFor('the line at the engine again', () => held.length === 2);
  await using next = await RawClient.connect(corral.port);
  next.send(postOf(chatOf('next')));
  expect((await next.response())?.body).toContain('next');
  await waitFor('the line at the engine once more', () => held.length === 3);
  expect(held.slice(0, 2).every(({ destroyed }) => destroyed)).toBe(true);
});

it('at a drain the lines that wait are rejected first', async () => {
  await using first = await RawClient.connect(corral.port);
  first.send(postOf({ input: 'held' }, { ...asRunner, path: '/v1/embeddings' }));
  await isHeld();
  await using line = await RawClient.connect(corral.port);
  line.send(postOf(chatOf('later'), asRunner));
  await waitFor('the line in line', () => batches().waiting === 1);
  const stopped = corral.gateway.stop();
  expect((await line.response())?.body).toContain('draining');
  held[0]?.setHeader('content-type', 'application/json').end('{"data":[],"usage":{"prompt_tokens":1}}');
  expect((await first.response())?.status).toBe(200);
  await stopped;
});
