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

/** Counts that are under way at the backend, until they are let go. */
let held: ServerResponse[] = [];
const hold: BackendScenario = (request, response) => {
  if (request.path.endsWith('/chat/completions')) echo(request, response);
  else held.push(response);
};
const release = () => {
  for (const response of held.splice(0)) response.end('{"input_tokens":7,"tokens":[]}');
};

let standIn: FakeBackend;
let corral: TestGateway;
const clients: RawClient[] = [];
beforeEach(async () => {
  held = [];
  standIn = await startFakeBackend(hold, { slots: 1 });
  corral = await startTestGateway({ backend: standIn.backend, keys });
});
afterEach(async () => {
  standIn.mood = echo;
  release();
  for (const { socket } of clients.splice(0)) socket.destroy();
  await corral.stop();
  await standIn.stop();
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
  it('go to the backend a few at a time, two of a key, and keep nobody from being served', async () => {
    for (const path of counting) await send('a', path);
    await waitFor('the others to wait', () => counts().waiting === counting.length - 2);
    expect(held).toHaveLength(2);
    for (const id of ['b', 'b', 'c']) await send(id, '/v1/messages/count_tokens');
    await waitFor('those of other keys to be there', () => held.length === 4);
    expect(counts()).toEqual({ capacity: 4, leased: 4, waiting: counting.length - 1 });
    const chat = await (await send('d', '/v1/chat/completions')).answer();
    expect(chat?.status).toBe(200);
    await waitFor('all to be answered', () => {
      release();
      return clients.every(({ text }) => text.startsWith('HTTP/1.1 200'));
    });
    expect(counts()).toEqual({ capacity: 4, leased: 0, waiting: 0 });
  });

  it('keep their places until the backend has done, as it works on where the client has left', async () => {
    const [first, second] = [await send('a', '/tokenize'), await send('a', '/tokenize')];
    await waitFor('both to be there', () => held.length === 2);
    first.reset();
    second.reset();
    await waitFor(
      'both to be logged',
      () => corral.logged.filter(({ status }) => status === 499).length === 2,
    );
    expect(corral.gateway.bodies.bytes).toBe(0);
    const third = await send('a', '/tokenize');
    await waitFor('the next to wait', () => counts().waiting === 1);
    expect([held.length, standIn.open]).toEqual([2, 2]);
    release();
    await waitFor('the next to be there', () => held.length === 1);
    release();
    expect((await third.answer())?.status).toBe(200);
  });

  it('are out of the line when their clients leave', async () => {
    for (let n = 0; n < 5; n++) await send('a', '/v1/responses/input_tokens');
    await waitFor('three to wait', () => counts().waiting === 3);
    for (const client of clients.slice(2)) client.reset();
    await waitFor('nobody to wait', () => counts().waiting === 0);
    release();
    await waitFor('all places to be free', () => counts().leased === 0);
    expect(standIn.received).toHaveLength(2);
  });
});
