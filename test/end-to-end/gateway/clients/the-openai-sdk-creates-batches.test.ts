import OpenAI, { ConflictError, NotFoundError, toFile } from 'openai';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type StoreGateway, startStoreGateway } from '../../../harness/start-store-gateway.ts';

let server: StoreGateway;
let openai: OpenAI;
beforeAll(async () => {
  server = await startStoreGateway();
  openai = new OpenAI({ baseURL: `${server.corral.origin}/v1`, apiKey: server.corral.secret, maxRetries: 0 });
});
afterAll(() => server[Symbol.asyncDispose]());

const body = { model: 'demo', messages: [{ role: 'user', content: 'hi' }] };
const lines = ['a', 'b'].map((custom_id) => ({
  custom_id,
  method: 'POST',
  url: '/v1/chat/completions',
  body,
}));
const content = lines.map((line) => `${JSON.stringify(line)}\n`).join('');

it('files are uploaded, waited for, downloaded, listed page by page and deleted', async () => {
  const created: string[] = [];
  for (let n = 0; n < 5; n++) {
    const file = await openai.files.create({
      file: await toFile(Buffer.from(content), `${n}.jsonl`),
      purpose: 'batch',
      expires_after: { anchor: 'created_at', seconds: 7200 },
    });
    expect(file).toMatchObject({
      filename: `${n}.jsonl`,
      bytes: content.length,
      expires_at: file.created_at + 7200,
    });
    created.unshift(file.id);
  }
  const [newest = ''] = created;
  expect((await openai.files.waitForProcessing(newest)).status).toBe('processed');
  expect(await (await openai.files.content(newest)).text()).toBe(content);
  const listed: string[] = [];
  for await (const { id } of openai.files.list({ limit: 2, purpose: 'batch' })) listed.push(id);
  expect(listed).toEqual(created);
  for (const id of created)
    expect(await openai.files.delete(id)).toEqual({ id, object: 'file', deleted: true });
  await expect(openai.files.retrieve(newest)).rejects.toThrow(NotFoundError);
});

it('a batch is created, polled until it has ended, and read', async () => {
  const { id: input_file_id } = await openai.files.create({
    file: await toFile(Buffer.from(content), 'lines.jsonl'),
    purpose: 'batch',
  });
  const batch = await openai.batches.create({
    ...{ input_file_id, endpoint: '/v1/chat/completions', completion_window: '24h' },
    metadata: { job: 'nightly' },
    output_expires_after: { anchor: 'created_at', seconds: 3600 },
  });
  expect(batch).toMatchObject({ status: 'validating', metadata: { job: 'nightly' } });
  const { batches } = server.openStore();
  const number = 1;
  batches.addLines(batch.id, [{ number, offset: 0, length: 1, customId: 'a', sortKey: Buffer.from('a') }]);
  batches.transition(batch.id, 'in_progress');
  await batches.finishLines(batch.id, [{ number, state: 'completed', text: '{"custom_id":"a"}' }]);
  batches.transition(batch.id, 'finalizing');
  batches.transition(batch.id, 'completed');
  const done = await openai.batches.retrieve(batch.id);
  expect(done).toMatchObject({ status: 'completed', request_counts: { total: 1, completed: 1, failed: 0 } });
  expect(done.error_file_id).toBeNull();
  const output = await openai.files.retrieve(done.output_file_id ?? '');
  expect(output).toMatchObject({ purpose: 'batch_output', expires_at: output.created_at + 3600 });
  expect(await (await openai.files.content(output.id)).text()).toBe('{"custom_id":"a"}\n');
  await expect(openai.batches.cancel(batch.id)).rejects.toThrow(ConflictError);
});

it('batches are listed page by page, and cancelled', async () => {
  const created: string[] = [];
  for (let n = 0; n < 5; n++) created.unshift(await server.createBatch());
  const listed: string[] = [];
  for await (const { id } of openai.batches.list({ limit: 2 })) listed.push(id);
  expect(listed.slice(0, 5)).toEqual(created);
  expect((await openai.batches.cancel(created[0] ?? '')).status).toBe('cancelling');
});

it('a batch is created once where the client sends an idempotency key', async () => {
  const input_file_id = await server.upload('x');
  const create = () =>
    openai.batches.create(
      { input_file_id, endpoint: '/v1/embeddings', completion_window: '24h' },
      { headers: { 'Idempotency-Key': 'nightly-1' } },
    );
  expect((await create()).id).toBe((await create()).id);
});
