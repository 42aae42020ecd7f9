import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { storeFileName } from '../../../store/store.ts';
import { type StoreGateway, startStoreGateway } from '../../harness/start-store-gateway.ts';

let server: StoreGateway;
beforeAll(async () => {
  server = await startStoreGateway();
});
afterAll(() => server[Symbol.asyncDispose]());

const path = '/v1/messages/batches';
const params = { model: 'demo', max_tokens: 5, messages: [{ role: 'user', content: 'Größe "1" \u0001 🚲' }] };
const requests = [
  { custom_id: 'one', params },
  { custom_id: 'two-2_', params: { ...params, temperature: 0.5 } },
];
const create = (json: unknown = { requests }, headers: Record<string, string> = {}) =>
  server.send(`POST ${path}`, { json, headers });
const expectError = (
  response: { status: number; body: unknown },
  status: number,
  type: string,
  message: string | RegExp,
) =>
  expect(response).toMatchObject({
    status,
    body: {
      type: 'error',
      error: { type, message: expect.stringMatching(message) },
      request_id: expect.any(String),
    },
  });

describe('a message batch', () => {
  it('is created from its requests, shown and cancelled', async () => {
    const created = await create();
    const digits = String(created.body.id).replace('msgbatch_', '');
    expect(created.status).toBe(200);
    expect(created.headers.get('request-id')).toMatch(/\S/);
    expect(created.body).toEqual({
      id: expect.stringMatching(/^msgbatch_[0-9a-f]{32}$/),
      type: 'message_batch',
      processing_status: 'in_progress',
      request_counts: { processing: 2, succeeded: 0, errored: 0, canceled: 0, expired: 0 },
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/),
      expires_at: expect.any(String),
      ended_at: null,
      cancel_initiated_at: null,
      archived_at: null,
      results_url: null,
    });
    const { created_at, expires_at } = created.body;
    expect(Date.parse(expires_at) - Date.parse(created_at)).toBe(24 * 60 * 60 * 1000);
    expect((await server.send(`GET ${path}/msgbatch_${digits}`)).body).toEqual(created.body);

    const job = (await server.send(`GET /v1/batches/batch_${digits}`)).body;
    expect(job).toMatchObject({ endpoint: '/v1/messages', status: 'validating' });
    const input = await server.send(`GET /v1/files/${job.input_file_id}/content`);
    expect(
      input.text
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line)),
    ).toEqual(
      requests.map(({ custom_id, params: body }) => ({
        custom_id,
        method: 'POST',
        url: '/v1/messages',
        body,
      })),
    );

    expectError(
      await server.send(`GET ${path}/msgbatch_${digits}/results`),
      404,
      'not_found_error',
      /no results yet/,
    );
    expectError(
      await server.send(`DELETE ${path}/msgbatch_${digits}`),
      409,
      'invalid_request_error',
      /Cancel it first/,
    );
    const cancelled = await server.send(`POST ${path}/msgbatch_${digits}/cancel`);
    expect([cancelled.status, cancelled.body.processing_status]).toEqual([200, 'canceling']);
    expect(cancelled.body.cancel_initiated_at).toEqual(expect.any(String));
  });

  it('keeps numbers that JavaScript would change', async () => {
    const body = '{"requests":[{"custom_id":"a","params":{"seed":12345678901234567890,"top_p":1.0}}]}';
    const { id } = (
      await server.send(`POST ${path}`, { body, headers: { 'content-type': 'application/json' } })
    ).body;
    const { input_file_id } = (await server.send(`GET /v1/batches/${id.replace('msg', '')}`)).body;
    expect((await server.send(`GET /v1/files/${input_file_id}/content`)).text).toBe(
      '{"custom_id":"a","method":"POST","url":"/v1/messages","body":{"seed":12345678901234567890,"top_p":1.0}}\n',
    );
  });

  it.each([
    ['a list as body', [], /expected an object with the list/],
    ['no requests', {}, /Invalid 'requests'/],
    ['an empty list', { requests: [] }, /at least one request, got an empty list/],
    ['requests that are no list', { requests: 'one' }, /Invalid 'requests'/],
    ['a request that is no object', { requests: [requests[0], 7] }, /requests\[1\].*a JSON object/],
    ['no custom_id', { requests: [{ params }] }, /requests\[0\]\.custom_id/],
    ['a custom_id with a blank', { requests: [{ params, custom_id: 'a b' }] }, /requests\[0\]\.custom_id/],
    ['a long custom_id', { requests: [{ params, custom_id: 'x'.repeat(65) }] }, /requests\[0\]\.custom_id/],
    ['the same custom_id twice', { requests: [...requests, requests[0]] }, /requests\[2\]\.custom_id/],
    [
      'a stream',
      { requests: [{ custom_id: 'a', params: { ...params, stream: true } }] },
      /params\.stream'.*do not stream/,
    ],
    ['a number as model', { requests: [{ custom_id: 'a', params: { model: 7 } }] }, /params\.model/],
    [
      'a model with a long name',
      { requests: [{ custom_id: 'a', params: { model: 'm'.repeat(513) } }] },
      /params\.model/,
    ],
    ['no params', { requests: [{ custom_id: 'a' }] }, /requests\[0\]\.params/],
    [
      '50,001 requests',
      { requests: Array.from({ length: 50_001 }, (_, n) => ({ custom_id: `${n}`, params: {} })) },
      /at most 50000 requests/,
    ],
  ])('is rejected with %s, and nothing is left of it', async (_, body, message) => {
    const before = server.contents().length;
    expectError(await create(body), 400, 'invalid_request_error', message);
    expect(server.contents()).toHaveLength(before);
  });

  it('leaves no file behind if the database does not take it', async () => {
    await using other = await startStoreGateway();
    using db = new DatabaseSync(join(other.corral.folder, storeFileName));
    db.exec("CREATE TRIGGER broken BEFORE INSERT ON batches BEGIN SELECT RAISE(ABORT, 'broken'); END");
    expect((await other.send(`POST ${path}`, { json: { requests } })).status).toBe(500);
    expect(other.contents()).toEqual([]);
    expect((await other.send('GET /v1/files')).body.data).toEqual([]);
  });

  it('is rejected as a form, and where it is too large', async () => {
    expectError(
      await server.send(`POST ${path}`, { body: new FormData() }),
      415,
      'invalid_request_error',
      /application\/json/,
    );
    await using small = await startStoreGateway({ MAX_FILE_SIZE: '1000' });
    const json = { requests: Array.from({ length: 10 }, (_, n) => ({ custom_id: `${n}`, params })) };
    expectError(await small.send(`POST ${path}`, { json }), 413, 'request_too_large', /MAX_FILE_SIZE/);
    expect(small.contents()).toEqual([]);
  });

  it('is created once for one Idempotency-Key', async () => {
    const headers = { 'idempotency-key': 'message-batch' };
    const first = await create(undefined, headers);
    const before = server.contents().length;
    expect((await create(undefined, headers)).body).toEqual(first.body);
    expectError(
      await create({ requests: [requests[0]] }, headers),
      409,
      'invalid_request_error',
      /Idempotency-Key/,
    );
    expect(server.contents()).toHaveLength(before);
  });

  it('is found by its Idempotency-Key even if there is no room for its requests any more', async () => {
    const size = JSON.stringify({ requests }).length;
    await using small = await startStoreGateway({ STORE_MAX_SIZE_PER_KEY: String(Math.round(size * 1.5)) });
    const send = (json: unknown, headers: Record<string, string> = {}) =>
      small.send(`POST ${path}`, { json, headers });
    const headers = { 'idempotency-key': 'once' };
    const first = await send({ requests }, headers);
    expect(first.status).toBe(200);
    expect((await send({ requests })).status).toBe(413);
    expect(await send({ requests }, headers)).toMatchObject({ status: 200, body: first.body });
    expect((await send({ requests: [requests[0]] }, headers)).status).toBe(409);
    expect(small.contents()).toHaveLength(1);
  });
});

describe('a message batch that has ended', () => {
  async function end() {
    const id = String((await create()).body.id);
    const job = id.replace('msg', '');
    const { batches } = server.openStore();
    const line = (number: number) => ({
      number,
      offset: 0,
      length: 1,
      sortKey: Buffer.from([number]),
      customId: `${number}`,
    });
    batches.addLines(job, [1, 2, 3, 4].map(line));
    batches.transition(job, 'in_progress');
    batches.transition(job, 'cancelling');
    const output = (fields: object) =>
      JSON.stringify({ id: 'batch_req_1', response: null, error: null, ...fields });
    const response = { status_code: 400, request_id: 'r', body: { error: { message: 'no' } } };
    const message = { id: 'msg_1', type: 'message' };
    await batches.finishLines(job, [
      {
        number: 1,
        state: 'completed',
        text: output({ custom_id: '1', response: { status_code: 200, body: message } }),
      },
      { number: 2, state: 'failed', text: output({ custom_id: '2', response }) },
      {
        number: 3,
        state: 'expired',
        text: output({ custom_id: '3', error: { code: 'batch_expired', message: 'late' } }),
      },
      {
        number: 4,
        state: 'cancelled',
        text: output({ custom_id: '4', error: { code: 'batch_cancelled', message: '' } }),
      },
    ]);
    batches.transition(job, 'cancelled');
    return id;
  }

  it('has its results at results_url, wherever its client reaches the server', async () => {
    const id = await end();
    const { body } = await server.send(`GET ${path}/${id}`);
    expect(body).toMatchObject({
      processing_status: 'ended',
      request_counts: { processing: 0, succeeded: 1, errored: 1, canceled: 1, expired: 1 },
      ended_at: expect.any(String),
      results_url: `${server.corral.origin}${path}/${id}/results`,
    });
    const results = await server.send(`GET ${new URL(body.results_url).pathname}`);
    expect(results.headers.get('content-type')).toBe('application/x-jsonl');
    expect(
      results.text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { custom_id: '1', result: { type: 'succeeded', message: { id: 'msg_1', type: 'message' } } },
      {
        custom_id: '2',
        result: {
          type: 'errored',
          error: { type: 'error', error: { type: 'invalid_request_error', message: 'no' }, request_id: 'r' },
        },
      },
      { custom_id: '3', result: { type: 'expired' } },
      { custom_id: '4', result: { type: 'canceled' } },
    ]);
  });

  it.each(['output_file_id', 'error_file_id'])('has no results without its %s', async (name) => {
    const id = await end();
    const file = (await server.send(`GET /v1/batches/${id.replace('msg', '')}`)).body[name];
    expect((await server.send(`DELETE /v1/files/${file}`)).status).toBe(200);
    const results = await server.send(`GET ${path}/${id}/results`);
    expectError(results, 404, 'not_found_error', `No such File object: ${file}`);
  });

  it('can be deleted, with its requests and results', async () => {
    const id = await end();
    const { input_file_id, output_file_id } = (await server.send(`GET /v1/batches/${id.replace('msg', '')}`))
      .body;
    expect((await server.send(`DELETE ${path}/${id}`)).body).toEqual({ id, type: 'message_batch_deleted' });
    expect((await server.send(`GET /v1/files/${output_file_id}`)).status).toBe(404);
    for (const file of [input_file_id, output_file_id]) expect(server.contents()).not.toContain(file);
    for (const request of [
      `GET ${path}/${id}`,
      `DELETE ${path}/${id}`,
      `GET ${path}/${id}/results`,
      `POST ${path}/${id}/cancel`,
    ])
      expectError(await server.send(request), 404, 'not_found_error', `No batch found with id '${id}'`);
  });
});

it('the list of message batches has the newest first, in pages, and no other batches', async () => {
  await using own = await startStoreGateway();
  const ids: string[] = [];
  for (let n = 0; n < 5; n++) ids.unshift((await own.send(`POST ${path}`, { json: { requests } })).body.id);
  const other = await own.createBatch();
  expect((await own.send('GET /v1/batches')).body.data).toHaveLength(6);
  const list = async (query: string) => {
    const { body } = await own.send(`GET ${path}${query}`);
    return { ...body, data: body.data.map(({ id }: { id: string }) => ids.indexOf(id)) };
  };
  const page = (data: number[], has_more: boolean) => ({
    data,
    has_more,
    first_id: ids[data[0] ?? -1] ?? null,
    last_id: ids[data.at(-1) ?? -1] ?? null,
  });
  expect(await list('')).toEqual(page([0, 1, 2, 3, 4], false));
  expect(await list('?limit=2')).toEqual(page([0, 1], true));
  expect(await list(`?limit=2&after_id=${ids[1]}`)).toEqual(page([2, 3], true));
  expect(await list(`?limit=2&before_id=${ids[4]}`)).toEqual(page([2, 3], true));
  expect(await list(`?before_id=${ids[1]}`)).toEqual(page([0], false));
  for (const query of [
    'limit=0',
    'limit=1001',
    'after_id=msgbatch_0',
    `after_id=${ids[0]}&before_id=${ids[3]}`,
  ])
    expectError(await own.send(`GET ${path}?${query}`), 400, 'invalid_request_error', /^Invalid '/);
  expectError(
    await own.send(`GET ${path}/${other.replace('batch', 'msgbatch')}`),
    404,
    'not_found_error',
    /No batch/,
  );
});
