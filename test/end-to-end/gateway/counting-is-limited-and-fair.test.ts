import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { echo } from '../../fakes/scenarios.ts';
import { type BackendScenario, type FakeBackend, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { keyFileText } from '../../harness/key-file-text.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { chatOf, postOf } from '../../harness/raw-request.ts';
import { startTestGateway, type TestGateway } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';

const secretOf = (id: string) => `sk-${id}-0123456789abcdefghijklmnopqrstuvwxyz`;
const scopes = ['inference', 'native'] as const;
const keys = keyFileText(
  Object.fromEntries(['a', 'b', 'c', 'd'].map((id) => [id, { secret: secretOf(id), scopes }])),
);
const counting = [
  '/v1/messages/count_tokens',
  '/v1/chat/completions/input_tokens',
  '/v1/responses/input_tokens',
  '/tokenize',
  '/detokenize',
  '/apply-template',
];

/** Counts that the backend has not responded to yet. */
let held: ServerResponse[] = [];
const hold: BackendScenario = (request, response) => {
  if (request.path.endsWith('/chat/completions')) echo(request, response);
  else held.push(response);
};
const release = () => {
  for (const response of held.splice(0)) response.end('{"input_tokens":7,"tokens":[]}');
};

let fake: FakeBackend;
let corral: TestGateway;
const clients: RawClient[] = [];
beforeEach(async () => {
  held = [];
  fake = await startFakeBackend(hold, { slots: 1 });
  corral = await startTestGateway({ backend: fake.backend, keys });
});
afterEach(async () => {
  fake.scenario = echo;
  release();
  for (const { socket } of clients.splice(0)) socket.destroy();
  await corral.stop();
  await fake.stop();
});

async function send(id: string, path: string): Promise<RawClient> {
  const client = await RawClient.connect(corral.port);
  clients.push(client);
  return client.send(
    postOf({ ...chatOf('x'), input: 'x', content: 'x', tokens: [1] }, { path, secret: secretOf(id) }),
  );
}
const counts = () => corral.gateway.countingScheduler.counts;

describe('requests that only count', () => {
  it('reach the backend four at a time, two of one key, and do not delay generation', async () => {
    for (const path of counting) await send('a', path);
    await waitFor('the others to be queued', () => counts().waiting === counting.length - 2);
    expect(held).toHaveLength(2);
    for (const id of ['b', 'b', 'c']) await send(id, '/v1/messages/count_tokens');
    await waitFor('those of other keys to arrive', () => held.length === 4);
    expect(counts()).toEqual({ capacity: 4, leased: 4, waiting: counting.length - 1 });
    const chat = await (await send('d', '/v1/chat/completions')).response();
    expect(chat?.status).toBe(200);
    await waitFor('all responses', () => {
      release();
      return clients.every(({ text }) => text.startsWith('HTTP/1.1 200'));
    });
    expect(counts()).toEqual({ capacity: 4, leased: 0, waiting: 0 });
  });

  it('keep their leases until the backend has counted, even if the client has left', async () => {
    const [first, second] = [await send('a', '/tokenize'), await send('a', '/tokenize')];
    await waitFor('both to arrive', () => held.length === 2);
    first.reset();
    second.reset();
    await waitFor(
      'both to be logged',
      () => corral.logged.filter(({ status }) => status === 499).length === 2,
    );
    expect(corral.gateway.bodyBudget.bytes).toBe(0);
    const third = await send('a', '/tokenize');
    await waitFor('the next to be queued', () => counts().waiting === 1);
    expect([held.length, fake.open]).toEqual([2, 2]);
    release();
    await waitFor('the next to arrive', () => held.length === 1);
    release();
    expect((await third.response())?.status).toBe(200);
  });

  it('leave the queue when their clients disconnect', async () => {
    for (let n = 0; n < 5; n++) await send('a', '/v1/responses/input_tokens');
    await waitFor('three to be queued', () => counts().waiting === 3);
    for (const client of clients.slice(2)) client.reset();
    await waitFor('the queue to be empty', () => counts().waiting === 0);
    release();
    await waitFor('all leases to be returned', () => counts().leased === 0);
    expect(fake.received).toHaveLength(2);
  });
});
