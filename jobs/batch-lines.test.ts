import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { expect, it, onTestFinished } from 'vitest';
import { GatewayClient } from '../client/gateway-client.ts';
import type { Store } from '../store/store.ts';
import { openTestStore } from '../test/harness/open-test-store.ts';
import { createBatch, newLines, storeFile } from '../test/harness/stored-batch.ts';
import { BatchLines } from './batch-lines.ts';
import { BatchReason } from './batch-reason.ts';
import { StoreGuard } from './store-guard.ts';

/** For a busy machine. */
const patient = { timeout: 20_000 };

/** A batch of so many lines, all of them begun, whose requests the test answers in their order. */
async function beginLines(count: number) {
  const requests: ServerResponse[] = [];
  const server = createServer((_, response) => requests.push(response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const gateway = new GatewayClient({ origin: `http://127.0.0.1:${port}`, key: 'sk' });
  const opened = await openTestStore();
  const { store } = opened;
  const batch = await createInProgress(store, count);
  const log = pino({ enabled: false });
  const guard = new StoreGuard(log, new AbortController().signal, () => {});
  const services = {
    ...{ store, guard, gateway, log, isStopping: () => false, onSlots: () => {}, onFree: () => {} },
  };
  const lines = new BatchLines(batch, null, services, new BatchReason(batch, services));
  onTestFinished(async () => {
    lines.stop('stopped');
    await lines.ended;
    await gateway.close();
    server.closeAllConnections();
    server.close();
    await opened[Symbol.asyncDispose]();
  });
  lines.settle();
  const running: Promise<void>[] = [];
  // One after the other: requests that are sent together may arrive in any order.
  while (running.length < count) {
    running.push(lines.runNext());
    await expect.poll(() => requests.length, patient).toBe(running.length);
  }
  const current = () => store.batches.get('app', batch.id);
  return { lines, requests, running, current };
}

async function createInProgress(store: Store, count: number) {
  const texts = newLines(1, count).map(({ customId }) => {
    return JSON.stringify({ custom_id: customId, method: 'POST', url: '/v1/chat/completions', body: {} });
  });
  const { id: inputFileId } = await storeFile(store, `${texts.join('\n')}\n`);
  const { id } = await createBatch(store, { inputFileId });
  const length = texts[0]?.length ?? 0;
  const lines = newLines(1, count).map((line, index) => ({ ...line, length, offset: index * (length + 1) }));
  store.batches.addLines(id, lines);
  const batch = store.batches.transition(id, 'in_progress');
  if (batch === undefined) throw new Error('the batch cannot be in progress');
  return batch;
}

const message = 'the key has used 1000 of its 1000 tokens for today';

function refuseForToday(response: ServerResponse | undefined): void {
  const headers = { 'content-type': 'application/json', 'x-should-retry': 'false' };
  response?.writeHead(429, headers).end(JSON.stringify({ error: { code: 'insufficient_quota', message } }));
}

const answer = (response: ServerResponse | undefined) =>
  response?.writeHead(200, { 'content-type': 'application/json' }).end('{"usage":{"prompt_tokens":1}}');

it.each([1, 3])(
  'a batch goes on to say why it waits after %i of its lines, begun before, succeed',
  async (successes) => {
    const { lines, requests, running, current } = await beginLines(successes + 1);
    refuseForToday(requests.at(-1));
    await expect.poll(() => current()?.reason, patient).toBe(message);
    for (const request of requests.slice(0, successes)) answer(request);
    await Promise.all(running);
    await expect.poll(() => current()?.counts.completed, patient).toBe(successes);
    expect([current()?.reason, lines.isReady]).toEqual([message, false]);
  },
);

const locked = (response: ServerResponse | undefined) =>
  response
    ?.writeHead(400, { 'content-type': 'application/json' })
    .end('{"error":{"code":"conversation_locked","message":"it is in use"}}');

it('a line that waits for its conversation is asked again, holds up no other, and has one result', async () => {
  const { lines, requests, running, current } = await beginLines(3);
  locked(requests[0]);
  await running[0];
  answer(requests[1]);
  await running[1];
  await expect.poll(() => current()?.counts.completed, patient).toBe(1);
  await expect.poll(() => lines.isReady, patient).toBe(true);
  const again = lines.runNext();
  await expect.poll(() => requests.length, patient).toBe(4);
  answer(requests[3]);
  await again;
  answer(requests[2]);
  await Promise.all(running);
  expect(await lines.ended).toBe('done');
  expect(current()).toMatchObject({ reason: null, counts: { completed: 3, failed: 0 } });
});

it('a batch whose lines all wait for a conversation says so, and ends when it is cancelled', async () => {
  const { lines, requests, current } = await beginLines(1);
  locked(requests[0]);
  await expect
    .poll(async () => {
      if (lines.isReady) lines.runNext();
      locked(requests.findLast(({ headersSent }) => !headersSent));
      return current()?.reason;
    }, patient)
    .toBe('it is in use');
  lines.stop('cancelled');
  expect(await lines.ended).toBe('cancelled');
}, 40_000);
