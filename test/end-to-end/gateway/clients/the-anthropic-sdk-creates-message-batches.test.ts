import Anthropic, { BadRequestError, NotFoundError } from '@anthropic-ai/sdk';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type StoreGateway, startStoreGateway } from '../../../harness/start-store-gateway.ts';

let server: StoreGateway;
let anthropic: Anthropic;
beforeAll(async () => {
  server = await startStoreGateway();
  anthropic = new Anthropic({ baseURL: server.corral.origin, apiKey: server.corral.secret, maxRetries: 0 });
});
afterAll(() => server[Symbol.asyncDispose]());

const params = { model: 'demo', max_tokens: 5, messages: [{ role: 'user' as const, content: 'hi' }] };
const create = () => anthropic.messages.batches.create({ requests: [{ custom_id: 'one', params }] });

it('a message batch is created, polled until it has ended, read and deleted', async () => {
  const batch = await create();
  expect(await anthropic.messages.batches.retrieve(batch.id)).toEqual(batch);
  await expect(anthropic.messages.batches.results(batch.id)).rejects.toThrow(/has it finished/i);
  const job = batch.id.replace('msg', '');
  const { batches } = server.openStore();
  const number = 1;
  const response = { status_code: 200, request_id: 'r', body: { id: 'msg_1', type: 'message' } };
  const text = JSON.stringify({ id: 'batch_req_1', custom_id: 'one', response, error: null });
  batches.addLines(job, [{ number, offset: 0, length: 1, customId: 'one', sortKey: Buffer.from('a') }]);
  batches.transition(job, 'in_progress');
  await batches.finishLines(job, [{ number, state: 'completed', text }]);
  batches.transition(job, 'finalizing');
  batches.transition(job, 'completed');
  const done = await anthropic.messages.batches.retrieve(batch.id);
  expect(done).toMatchObject({ processing_status: 'ended', request_counts: { succeeded: 1, processing: 0 } });
  expect(await Array.fromAsync(await anthropic.messages.batches.results(batch.id))).toEqual([
    { custom_id: 'one', result: { type: 'succeeded', message: response.body } },
  ]);
  expect(await anthropic.messages.batches.delete(batch.id)).toEqual({
    id: batch.id,
    type: 'message_batch_deleted',
  });
  await expect(anthropic.messages.batches.retrieve(batch.id)).rejects.toThrow(NotFoundError);
});

it('message batches are listed page by page, in both directions, and cancelled', async () => {
  const created: string[] = [];
  for (let n = 0; n < 5; n++) created.unshift((await create()).id);
  const listed: string[] = [];
  for await (const { id } of anthropic.messages.batches.list({ limit: 2 })) listed.push(id);
  expect(listed).toEqual(created);
  const newer: string[] = [];
  for await (const { id } of anthropic.messages.batches.list({ limit: 2, before_id: created[4] ?? '' }))
    newer.push(id);
  expect(newer.toSorted()).toEqual(created.slice(0, 4).toSorted());
  const cancelled = await anthropic.messages.batches.cancel(created[0] ?? '');
  expect([cancelled.id, cancelled.processing_status]).toEqual([created[0], 'canceling']);
});

it('a request that is wrong is named', async () => {
  const wrong = anthropic.messages.batches.create({ requests: [{ custom_id: 'one two', params }] });
  await expect(wrong).rejects.toThrow(BadRequestError);
  await expect(wrong).rejects.toThrow(/requests\[0\]\.custom_id/);
});
