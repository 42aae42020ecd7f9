import Anthropic from '@anthropic-ai/sdk';
import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { chatLines, storyOf } from '../../harness/batches.ts';
import { type BatchDeployment, defaultKeys, startBatchRunner } from '../../harness/start-batch-runner.ts';
import { waitFor } from '../../harness/wait-for.ts';

const { secret: apiKey } = defaultKeys.app;
let product: BatchDeployment;
let openai: OpenAI;
let anthropic: Anthropic;
beforeAll(async () => {
  product = await startBatchRunner();
  const origin = `http://127.0.0.1:${product.deployment.gatewayPort}`;
  openai = new OpenAI({ baseURL: `${origin}/v1`, apiKey, maxRetries: 0 });
  anthropic = new Anthropic({ baseURL: origin, apiKey, maxRetries: 0 });
});
afterAll(() => product[Symbol.asyncDispose]());

const toJsonl = (lines: readonly object[]) => lines.map((line) => `${JSON.stringify(line)}\n`).join('');

async function createBatch(lines: readonly object[] | string) {
  const content = typeof lines === 'string' ? lines : toJsonl(lines);
  const file = await openai.files.create({
    file: await toFile(Buffer.from(content), 'in.jsonl'),
    purpose: 'batch',
  });
  return openai.batches.create({
    ...{ input_file_id: file.id, endpoint: '/v1/chat/completions', completion_window: '24h' },
  });
}

const polled = (id: string, statuses: readonly string[]) =>
  waitFor(`${id} to be ${statuses.join(' or ')}`, async () => {
    const batch = await openai.batches.retrieve(id);
    return statuses.includes(batch.status) ? batch : undefined;
  });

async function resultsIn(fileId: string | null | undefined) {
  const text = await (await openai.files.content(fileId ?? '')).text();
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

it("OpenAI's SDK runs a batch from its file to its results", async () => {
  const lines = chatLines(6);
  const wrong = { ...chatLines(1, 'wrong')[0], body: { model: 'demo', messages: 'none' } };
  const { id } = await createBatch([...lines, wrong]);
  const batch = await polled(id, ['completed', 'failed']);
  expect(batch).toMatchObject({
    ...{ status: 'completed', model: 'demo', request_counts: { total: 7, completed: 6, failed: 1 } },
    usage: { total_tokens: expect.any(Number) },
  });
  const results = await resultsIn(batch.output_file_id);
  const texts = new Map(
    results.map((result) => [result.custom_id, result.response.body.choices[0].message.content]),
  );
  for (const [n, { custom_id }] of lines.entries()) expect(texts.get(custom_id)).toContain(storyOf(n).text);
  expect(texts.size).toBe(lines.length);
  expect(await resultsIn(batch.error_file_id)).toMatchObject([
    {
      custom_id: 'wrong-0',
      response: { status_code: 400, body: { error: { code: expect.any(String) } } },
      error: null,
    },
  ]);
});

it('a file that is no JSONL fails its batch, and the errors name the line', async () => {
  const { id } = await createBatch(`${toJsonl(chatLines(1))}not JSON\n`);
  const batch = await polled(id, ['failed']);
  expect(batch.errors?.data).toMatchObject([{ code: 'invalid_json_line', line: 2 }]);
  expect([batch.output_file_id, batch.error_file_id]).toEqual([null, null]);
});

it('a batch is cancelled, and keeps what is done', async () => {
  const { id } = await createBatch(chatLines(3000));
  await waitFor(
    'the first results',
    async () => ((await openai.batches.retrieve(id)).request_counts?.completed ?? 0) > 0,
  );
  expect((await openai.batches.cancel(id)).status).toBe('cancelling');
  const batch = await polled(id, ['cancelled']);
  const { total = 0, completed = 0, failed = 0 } = batch.request_counts ?? {};
  expect([total, completed + failed]).toEqual([3000, 3000]);
  expect(await resultsIn(batch.output_file_id)).toHaveLength(completed);
  expect(await resultsIn(batch.error_file_id)).toHaveLength(failed);
});

it("Anthropic's SDK runs a message batch, polls it and reads its results", async () => {
  const params = (content: string) => ({
    ...{ model: 'demo', max_tokens: 200, temperature: 0 },
    messages: [{ role: 'user' as const, content }],
  });
  const keyword = storyOf(0).keywords[0] ?? '';
  const { id } = await anthropic.messages.batches.create({
    requests: [
      { custom_id: 'good', params: params(`tell me about ${keyword}`) },
      { custom_id: 'bad', params: { ...params(''), messages: 'none' as never } },
      { custom_id: 'other', params: { ...params(`tell me about ${keyword}`), model: 'another name' } },
    ],
  });
  const batch = await waitFor('its end', async () => {
    const current = await anthropic.messages.batches.retrieve(id);
    return current.processing_status === 'ended' ? current : undefined;
  });
  expect(batch.request_counts).toEqual({ processing: 0, succeeded: 2, errored: 1, canceled: 0, expired: 0 });
  const results = await Array.fromAsync(await anthropic.messages.batches.results(id));
  expect(results.toSorted((a, b) => (a.custom_id < b.custom_id ? -1 : 1))).toMatchObject([
    {
      custom_id: 'bad',
      result: { type: 'errored', error: { type: 'error', error: { type: 'invalid_request_error' } } },
    },
    { custom_id: 'good', result: { type: 'succeeded', message: { type: 'message', role: 'assistant' } } },
    { custom_id: 'other', result: { type: 'succeeded', message: { type: 'message', role: 'assistant' } } },
  ]);
  expect(await anthropic.messages.batches.delete(id)).toEqual({ id, type: 'message_batch_deleted' });
});

it('a message batch is cancelled, and each of its requests has a result', async () => {
  const requests = chatLines(2000).map(({ custom_id, body }) => ({
    custom_id,
    params: { ...(body as { messages: [] }), model: 'demo', max_tokens: 300 },
  }));
  const { id } = await anthropic.messages.batches.create({ requests });
  await waitFor('the first results', async () => {
    const { request_counts: counts } = await anthropic.messages.batches.retrieve(id);
    return counts.succeeded > 0;
  });
  await anthropic.messages.batches.cancel(id);
  const batch = await waitFor('its end', async () => {
    const current = await anthropic.messages.batches.retrieve(id);
    return current.processing_status === 'ended' ? current : undefined;
  });
  const results = await Array.fromAsync(await anthropic.messages.batches.results(id));
  expect(new Set(results.map(({ custom_id }) => custom_id)).size).toBe(requests.length);
  expect(results.filter(({ result }) => result.type === 'canceled')).toHaveLength(
    batch.request_counts.canceled,
  );
  expect(batch.request_counts.canceled).toBeGreaterThan(0);
});
