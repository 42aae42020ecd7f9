import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { otherSecret, type StoreGateway, startStoreGateway } from '../../harness/start-store-gateway.ts';

let server: StoreGateway;
let input_file_id: string;
beforeAll(async () => {
  server = await startStoreGateway();
  input_file_id = await server.upload('{"custom_id":"1"}\n');
});
afterAll(() => server[Symbol.asyncDispose]());

const endpoint = '/v1/chat/completions';
const wanted = () => ({ input_file_id, endpoint, completion_window: '24h' });
const create = (changes: object = {}, headers: Record<string, string> = {}) =>
  server.send('POST /v1/batches', { json: { ...wanted(), ...changes }, headers });

/** A new batch, in all its fields. */
const newBatch = {
  id: expect.stringMatching(/^batch_[0-9a-f]{32}$/),
  object: 'batch',
  endpoint,
  model: null,
  errors: null,
  completion_window: '24h',
  status: 'validating',
  reason: null,
  output_file_id: null,
  error_file_id: null,
  created_at: expect.any(Number),
  in_progress_at: null,
  expires_at: expect.any(Number),
  finalizing_at: null,
  completed_at: null,
  failed_at: null,
  expired_at: null,
  cancelling_at: null,
  cancelled_at: null,
  request_counts: { total: 0, completed: 0, failed: 0 },
  usage: {
    input_tokens: 0,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: 0,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: 0,
  },
  metadata: null,
};

describe.each(['/v1/batches', '/batches'])('%s', (path) => {
  it('creates a batch, shows it and cancels it', async () => {
    const created = await server.send(`POST ${path}`, { json: wanted() });
    expect(created).toMatchObject({ status: 200, body: { ...newBatch, input_file_id } });
    const { id, created_at, expires_at } = created.body;
    expect(Object.keys(created.body).toSorted()).toEqual(
      [...Object.keys(newBatch), 'input_file_id'].toSorted(),
    );
    expect(expires_at).toBe(created_at + 24 * 60 * 60);
    expect((await server.send(`GET ${path}/${id}`)).body).toEqual(created.body);
    for (const _ of ['the first time', 'again']) {
      const { status, body } = await server.send(`POST ${path}/${id}/cancel`);
      expect(status).toBe(200);
      expect(body).toEqual({ ...created.body, status: 'cancelling', cancelling_at: expect.any(Number) });
    }
  });

  it.each([
    ['GET, POST', 'DELETE', ''],
    ['GET', 'POST', '/batch_x'],
    ['POST', 'GET', '/batch_x/cancel'],
  ])('allows %s and rejects %s', async (allowed, method, rest) => {
    const { status, headers, body } = await server.send(`${method} ${path}${rest}`);
    expect([status, headers.get('allow'), body.error.code]).toEqual([405, allowed, 'method_not_allowed']);
  });
});

it.each(['/v1/chat/completions', '/v1/completions', '/v1/embeddings', '/v1/responses', '/v1/rerank'])(
  'a batch may be for %s',
  async (each) =>
    expect(await create({ endpoint: each })).toMatchObject({ status: 200, body: { endpoint: each } }),
);

it('a key may have so many unfinished batches; a repeated request still gets its own', async () => {
  await using limited = await startStoreGateway({ MAX_BATCHES_PER_KEY: '2' });
  const id = await limited.upload('{"custom_id":"1"}\n');
  const headers = { 'idempotency-key': 'first' };
  const json = { input_file_id: id, endpoint, completion_window: '24h' };
  const first = await limited.send('POST /v1/batches', { json, headers });
  await limited.createBatch();
  const third = await limited.send('POST /v1/batches', { json });
  expect([third.status, third.body.error.code]).toEqual([429, 'batch_limit_exceeded']);
  expect(third.body.error.message).toMatch(/^2 batches of this key .*MAX_BATCHES_PER_KEY/);
  expect(third.headers.get('x-should-retry')).toBe('false');
  const requests = [{ custom_id: 'one', params: { model: 'demo', max_tokens: 5, messages: [] } }];
  const before = limited.contents().length;
  const message = await limited.send('POST /v1/messages/batches', { json: { requests } });
  expect([message.status, message.body.error.type]).toEqual([429, 'rate_limit_error']);
  expect(limited.contents()).toHaveLength(before);
  expect((await limited.send('POST /v1/batches', { json, headers })).body.id).toBe(first.body.id);
  await limited.createBatch({ secret: otherSecret });
  limited.openStore().batches.transition(first.body.id, 'failed');
  await limited.createBatch();
});

it('uploads and new batches count in the requests per minute, and nothing else', async () => {
  await using limited = await startStoreGateway({ MAX_REQUESTS_PER_MINUTE: '3' });
  const inputFileId = await limited.upload('{"custom_id":"1"}\n');
  const id = await limited.createBatch({ inputFileId });
  expect((await limited.send('POST /v1/messages/batches', { json: {} })).status).toBe(400);
  for (const path of ['/v1/files', '/v1/batches', '/v1/messages/batches']) {
    const { status, headers } = await limited.send(`POST ${path}`, { json: {} });
    expect([status, headers.get('x-ratelimit-remaining-requests')]).toEqual([429, '0']);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await limited.send(`GET ${path}`)).status).toBe(200);
  }
  expect((await limited.send(`POST /v1/batches/${id}/cancel`)).status).toBe(200);
});

it('a batch keeps its metadata', async () => {
  const pairs = Array.from({ length: 16 }, (_, n) => [`${n}`.padEnd(64, 'ü'), 'ü'.repeat(512)]);
  const metadata = Object.fromEntries(pairs);
  const { body } = await create({ metadata, output_expires_after: { anchor: 'created_at', seconds: 3600 } });
  expect(body.metadata).toEqual(metadata);
  expect((await server.send(`GET /v1/batches/${body.id}`)).body.metadata).toEqual(metadata);
});

describe('a request for a batch is rejected', () => {
  it.each([
    ['without a file', { input_file_id: undefined }, 'input_file_id'],
    ['with a number as file', { input_file_id: 7 }, 'input_file_id'],
    ['for a foreign endpoint', { endpoint: '/v1/moderations' }, 'endpoint'],
    ['for a foreign URL', { endpoint: 'https://elsewhere.example/v1/chat/completions' }, 'endpoint'],
    ['for a route of ours', { endpoint: '/admin/restart' }, 'endpoint'],
    ['without an endpoint', { endpoint: undefined }, 'endpoint'],
    ['for another time', { completion_window: '48h' }, 'completion_window'],
    ['without a time', { completion_window: undefined }, 'completion_window'],
    [
      'with 17 pairs of metadata',
      { metadata: Object.fromEntries(Array.from({ length: 17 }, (_, n) => [n, ''])) },
      'metadata',
    ],
    ['with a long key in metadata', { metadata: { ['k'.repeat(65)]: '' } }, 'metadata'],
    ['with a long value in metadata', { metadata: { k: 'v'.repeat(513) } }, 'metadata'],
    ['with a number in metadata', { metadata: { k: 1 } }, 'metadata'],
    ['with a list as metadata', { metadata: ['k'] }, 'metadata'],
    [
      'with output that expires after a minute',
      { output_expires_after: { anchor: 'created_at', seconds: 60 } },
      'output_expires_after.seconds',
    ],
    [
      'with output that expires from another moment',
      { output_expires_after: { anchor: 'last_active_at', seconds: 3600 } },
      'output_expires_after.anchor',
    ],
    ['with a number as expiry', { output_expires_after: 3600 }, 'output_expires_after'],
  ])('%s', async (_, changes, param) => {
    const { status, body } = await create(changes);
    expect([status, body.error.code, body.error.param]).toEqual([400, 'invalid_value', param]);
  });

  it('with a file of another purpose', async () => {
    const { status, body } = await create({
      input_file_id: await server.upload('x', { purpose: 'user_data' }),
    });
    expect([status, body.error.code, body.error.param]).toEqual([400, 'invalid_value', 'input_file_id']);
  });

  it('with a file that does not exist, or not any more', async () => {
    const deleted = await server.upload('x');
    await server.send(`DELETE /v1/files/${deleted}`);
    for (const id of [deleted, 'file-0', '../keys.json', newBatch.object]) {
      const { status, body } = await create({ input_file_id: id });
      expect([status, body.error.code, body.error.param]).toEqual([404, 'file_not_found', 'input_file_id']);
    }
  });

  it.each([
    ['', 'invalid_value'],
    ['[]', 'invalid_value'],
    ['{"endpoint":', 'invalid_json'],
  ])('with the body %j', async (text, code) => {
    const { status, body } = await server.send('POST /v1/batches', { body: text });
    expect([status, body.error.code]).toEqual([400, code]);
  });

  it('with a body of 100 KB', async () => {
    const { status, body } = await create({ more: 'x'.repeat(100_000) });
    expect([status, body.error.code]).toEqual([413, 'payload_too_large']);
  });
});

describe('Idempotency-Key', () => {
  const key = (name: string) => ({ 'idempotency-key': name });

  it('makes a repeated request return the batch from before', async () => {
    const metadata = { a: '1', b: '2' };
    const first = await create({ metadata }, key('one'));
    const again = await create({ metadata: { b: '2', a: '1' } }, key('one'));
    expect([again.status, again.body]).toEqual([200, first.body]);
    expect((await create({ metadata }, key('two'))).body.id).not.toBe(first.body.id);
  });

  it('is rejected for a request with other parameters', async () => {
    await create({}, key('three'));
    for (const changes of [
      { endpoint: '/v1/embeddings' },
      { metadata: { a: '1' } },
      { input_file_id: await server.upload('y') },
    ]) {
      const { status, body, headers } = await create(changes, key('three'));
      expect([status, body.error.code, headers.get('x-should-retry')]).toEqual([
        409,
        'idempotency_key_reused',
        'false',
      ]);
    }
  });

  it('has at most 255 characters', async () => {
    expect((await create({}, key('x'.repeat(255)))).status).toBe(200);
    const { status, body } = await create({}, key('x'.repeat(256)));
    expect([status, body.error.code, body.error.param]).toEqual([400, 'invalid_value', 'Idempotency-Key']);
  });
});

it('the list of batches has the newest first, in pages', async () => {
  await using own = await startStoreGateway();
  const ids: string[] = [];
  for (let n = 0; n < 5; n++) ids.unshift(await own.createBatch());
  const list = async (query: string) => {
    const { body } = await own.send(`GET /v1/batches${query}`);
    return { ...body, data: body.data.map(({ id }: { id: string }) => ids.indexOf(id)) };
  };
  const page = (data: number[], has_more: boolean) => ({
    object: 'list',
    data,
    first_id: ids[data[0] ?? -1] ?? null,
    last_id: ids[data.at(-1) ?? -1] ?? null,
    has_more,
  });
  expect(await list('')).toEqual(page([0, 1, 2, 3, 4], false));
  expect(await list('?limit=2')).toEqual(page([0, 1], true));
  expect(await list(`?limit=2&after=${ids[1]}`)).toEqual(page([2, 3], true));
  expect(await list(`?after=${ids[4]}`)).toEqual(page([], false));
  for (const [query, param] of [
    ['limit=0', 'limit'],
    ['limit=101', 'limit'],
    ['after=batch_0', 'after'],
  ]) {
    const { status, body } = await own.send(`GET /v1/batches?${query}`);
    expect([status, body.error.code, body.error.param]).toEqual([400, 'invalid_value', param]);
  }
});

describe('a batch that has ended', () => {
  const usage = { inputTokens: 10, cachedTokens: 4, outputTokens: 7, reasoningTokens: 2 };

  async function end(status: 'completed' | 'failed' | 'expired' | 'cancelled') {
    const id = await server.createBatch({ inputFileId: input_file_id });
    const { batches } = server.openStore();
    const line = (number: number) => ({
      number,
      offset: 0,
      length: 1,
      sortKey: Buffer.from([number]),
      customId: `${number}`,
    });
    batches.addLines(id, [line(1), line(2), line(3)]);
    if (status !== 'failed') {
      batches.transition(id, 'in_progress', { model: 'demo' });
      await batches.finishLines(id, [
        { number: 1, state: 'completed', text: '{"custom_id":"1"}', usage },
        { number: 2, state: 'failed', text: '{"custom_id":"2"}', usage },
        ...(status === 'completed' ? [] : [{ number: 3, state: status, text: '{"custom_id":"3"}' } as const]),
      ]);
    }
    const error = { code: 'invalid_json_line', message: 'Line 3 is not JSON.', param: null, line: 3 };
    for (const each of status === 'completed'
      ? (['finalizing', status] as const)
      : status === 'cancelled'
        ? (['cancelling', status] as const)
        : [status])
      batches.transition(id, each, status === 'failed' ? { errors: [error] } : {});
    return (await server.send(`GET /v1/batches/${id}`)).body;
  }

  it.each([
    ['completed', { total: 3, completed: 1, failed: 1 }],
    ['expired', { total: 3, completed: 1, failed: 2 }],
    ['cancelled', { total: 3, completed: 1, failed: 2 }],
  ] as const)('is %s, with its counts, usage and results', async (status, request_counts) => {
    const batch = await end(status);
    expect(batch).toMatchObject({
      ...{ status, request_counts, model: 'demo', errors: null },
      [`${status}_at`]: expect.any(Number),
      usage: {
        input_tokens: 20,
        input_tokens_details: { cached_tokens: 8 },
        output_tokens: 14,
        output_tokens_details: { reasoning_tokens: 4 },
        total_tokens: 34,
      },
    });
    expect((await server.send(`GET /v1/files/${batch.output_file_id}/content`)).text).toBe(
      '{"custom_id":"1"}\n',
    );
    const errors = await server.send(`GET /v1/files/${batch.error_file_id}/content`);
    expect(errors.text).toBe(
      status === 'completed' ? '{"custom_id":"2"}\n' : '{"custom_id":"2"}\n{"custom_id":"3"}\n',
    );
    expect((await server.send(`GET /v1/files/${batch.output_file_id}`)).body.purpose).toBe('batch_output');
    const { status: code, body, headers } = await server.send(`POST /v1/batches/${batch.id}/cancel`);
    if (status === 'cancelled') return expect([code, body]).toEqual([200, batch]);
    expect([code, body.error.code, headers.get('x-should-retry')]).toEqual([
      409,
      'batch_not_cancellable',
      'false',
    ]);
  });

  it('is failed, and says which lines are wrong', async () => {
    expect(await end('failed')).toMatchObject({
      ...{ status: 'failed', output_file_id: null, error_file_id: null, failed_at: expect.any(Number) },
      errors: {
        object: 'list',
        data: [{ code: 'invalid_json_line', message: 'Line 3 is not JSON.', param: null, line: 3 }],
      },
    });
  });
});

it('a batch says why it makes no progress', async () => {
  const id = await server.createBatch();
  server.openStore().batches.update(id, { reason: 'the disk is full' });
  expect((await server.send(`GET /v1/batches/${id}`)).body.reason).toBe('the disk is full');
});

it('a batch that does not exist is not found', async () => {
  for (const request of ['GET /v1/batches/batch_0', 'POST /v1/batches/batch_0/cancel']) {
    expect(await server.send(request)).toMatchObject({
      status: 404,
      body: { error: { code: 'batch_not_found', message: "No batch found with id 'batch_0'." } },
    });
  }
});
