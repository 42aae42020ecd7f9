import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  type BatchRequest,
  chatLine,
  chatLines,
  createBatchOfLines,
  untilEnded,
} from '../../harness/batches.ts';
import { type BatchDeployment, startBatchRunner } from '../../harness/start-batch-runner.ts';

let product: BatchDeployment;
beforeAll(async () => {
  product = await startBatchRunner({ env: { MAX_REQUEST_BODY_SIZE: '64KiB' } });
});
afterAll(() => product[Symbol.asyncDispose]());

const good = chatLines(1);
const messages = [{ role: 'user', content: 'hi' }];
const line = (change: object): BatchRequest[] => [
  ...good,
  { custom_id: 'bad', ...chatLine({ messages }), ...change },
];
const many = (count: number) =>
  Array.from({ length: count }, (_, n) => JSON.stringify({ custom_id: `n-${n}`, ...chatLine({ messages }) }));

it.each<[string, BatchRequest[] | string, string, number | null, string | null]>([
  ['no JSON', '{"custom_id": "a"\n', 'invalid_json_line', 1, null],
  ['a CSV file', 'custom_id,prompt\n1,hi\n', 'invalid_json_line', 1, null],
  ['an empty file', '\n', 'empty_file', null, null],
  ['a duplicate', [...good, ...good], 'duplicate_custom_id', 2, 'custom_id'],
  ['a foreign url', line({ url: '/v1/embeddings' }), 'url_mismatch', 2, 'url'],
  ['a second model', line({ body: { model: 'other', messages } }), 'model_mismatch', 2, 'body.model'],
  ['a stream', line({ body: { model: 'demo', messages, stream: true } }), 'invalid_value', 2, 'body.stream'],
  ['no body', line({ body: undefined }), 'missing_required_parameter', 2, 'body'],
  ['another method', line({ method: 'GET' }), 'invalid_value', 2, 'method'],
  ['no custom_id', line({ custom_id: undefined }), 'missing_required_parameter', 2, 'custom_id'],
  ['a line too long', `{"a":"${'x'.repeat(80_000)}"}\n`, 'line_too_long', 1, null],
  ['60,000 lines', many(60_000).join('\n'), 'too_many_tasks', null, null],
])('%s', async (_, lines, code, number, param) => {
  const ended = await untilEnded(product.store, await createBatchOfLines(product.store, lines));
  expect(ended.status).toBe('failed');
  expect(ended.failedAt).toBeGreaterThan(0);
  expect(ended.errors[0]).toEqual({ code, line: number, param, message: expect.stringMatching(/\.$/) });
  expect([ended.outputFileId, ended.errorFileId]).toEqual([null, null]);
  expect(ended.counts).toMatchObject({ total: 0, completed: 0, failed: 0 });
});
