import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fileForm, type StoreGateway, startStoreGateway } from '../../harness/start-store-gateway.ts';

let server: StoreGateway;
beforeAll(async () => {
  server = await startStoreGateway();
});
afterAll(() => server[Symbol.asyncDispose]());

const content = '{"custom_id":"ü"}\r\n{"custom_id":"2"}\n';

describe.each(['/v1/files', '/files'])('%s', (path) => {
  it.each([false, true])(
    'takes a file, shows it, returns its bytes and deletes it (file first: %s)',
    async (fileFirst) => {
      const before = Math.floor(Date.now() / 1000);
      const form = fileForm(content, { purpose: 'batch' }, { fileFirst });
      const created = await server.send(`POST ${path}`, { body: form });
      const { id, created_at } = created.body;
      expect(created.status).toBe(200);
      expect(created.body).toEqual({
        id: expect.stringMatching(/^file-[0-9a-f]{32}$/),
        object: 'file',
        bytes: Buffer.byteLength(content),
        created_at: expect.any(Number),
        expires_at: created_at + 30 * 24 * 60 * 60,
        filename: 'lines.jsonl',
        purpose: 'batch',
        status: 'processed',
        status_details: null,
      });
      expect(created_at - before).toBeGreaterThanOrEqual(0);
      expect((await server.send(`GET ${path}/${id}`)).body).toEqual(created.body);
      const download = await server.send(`GET ${path}/${id}/content`);
      expect(download.text).toBe(content);
      expect(Object.fromEntries(download.headers)).toMatchObject({
        'content-type': 'application/octet-stream',
        'content-length': String(Buffer.byteLength(content)),
        'content-disposition': 'attachment; filename="lines.jsonl"',
        'x-content-type-options': 'nosniff',
        'x-request-id': expect.any(String),
      });
      const head = await server.send(`HEAD ${path}/${id}/content`);
      expect([head.status, head.text, head.headers.get('content-length')]).toEqual([
        200,
        '',
        String(created.body.bytes),
      ]);
      expect((await server.send(`DELETE ${path}/${id}`)).body).toEqual({ id, object: 'file', deleted: true });
      for (const request of [`GET ${path}/${id}`, `GET ${path}/${id}/content`, `DELETE ${path}/${id}`]) {
        expect(await server.send(request)).toMatchObject({
          status: 404,
          body: {
            error: {
              message: `No such File object: ${id}`,
              type: 'invalid_request_error',
              param: 'id',
              code: 'file_not_found',
            },
          },
        });
      }
      expect(server.contents()).toEqual([]);
    },
  );

  it.each([
    ['GET, POST', 'PUT', ''],
    ['GET, DELETE', 'POST', '/file-x'],
    ['GET', 'DELETE', '/file-x/content'],
  ])('allows %s and rejects %s', async (allowed, method, rest) => {
    const { status, headers, body } = await server.send(`${method} ${path}${rest}`);
    expect([status, headers.get('allow'), body.error.code]).toEqual([405, allowed, 'method_not_allowed']);
  });
});

describe.each([
  ['plain', {}],
  ['encrypted', { STORE_KEY: 'ab'.repeat(32) }],
])('parts of a file (%s)', (_, env) => {
  it('are sent where a client asks for them', async () => {
    await using gateway = await startStoreGateway(env);
    // Three frames, if it is encrypted.
    const bytes = Array.from({ length: 150_000 }, (_, n) => String.fromCharCode(97 + (n % 26))).join('');
    const id = await gateway.upload(bytes);
    const get = (range: string, headers: Record<string, string> = {}) =>
      gateway.send(`GET /v1/files/${id}/content`, { headers: { range, ...headers } });
    const whole = await gateway.send(`GET /v1/files/${id}/content`);
    const etag = whole.headers.get('etag') ?? '';
    expect([whole.status, whole.headers.get('accept-ranges')]).toEqual([200, 'bytes']);
    expect(etag).toMatch(/^"\S+"$/);
    for (const [range, from, to] of [
      ['bytes=0-0', 0, 0],
      ['bytes=65530-65541', 65_530, 65_541],
      ['bytes=131072-', 131_072, 149_999],
      ['bytes=-7', 149_993, 149_999],
      ['bytes=10-131080', 10, 131_080],
    ] as const) {
      const part = await get(range, { 'if-range': etag });
      expect(part.text).toBe(bytes.slice(from, to + 1));
      expect(part.status).toBe(206);
      expect(Object.fromEntries(part.headers)).toMatchObject({
        'content-range': `bytes ${from}-${to}/150000`,
        'content-length': String(to - from + 1),
        'content-type': 'application/octet-stream',
        etag,
      });
    }
    const changed = await get('bytes=0-0', { 'if-range': '"other"' });
    expect([changed.status, changed.text.length]).toEqual([200, 150_000]);
    for (const known of [etag, `"other", W/${etag}`, '*']) {
      const same = await get('bytes=0-0', { 'if-none-match': known });
      expect([same.status, same.text, same.headers.get('etag')]).toEqual([304, '', etag]);
    }
    expect((await get('bytes=0-0', { 'if-none-match': '"other"' })).status).toBe(206);
    const beyond = await get('bytes=150000-');
    expect([beyond.status, beyond.body.error.code, beyond.headers.get('content-range')]).toEqual([
      ...[416, 'range_not_satisfiable', 'bytes */150000'],
    ]);
    const head = await gateway.send(`HEAD /v1/files/${id}/content`, { headers: { range: 'bytes=0-0' } });
    expect([head.status, head.headers.get('content-length'), head.headers.get('etag')]).toEqual([
      ...[200, '150000', etag],
    ]);
  });
});

it('a file expires when its client says so, and keeps the name that fits into a header', async () => {
  const fields = {
    purpose: 'user_data',
    'expires_after[anchor]': 'created_at',
    'expires_after[seconds]': '3600',
  };
  const { body } = await server.send('POST /v1/files', {
    body: fileForm('x', fields, { name: 'Größe "1"\u202e.txt' }),
  });
  expect(body).toMatchObject({
    expires_at: body.created_at + 3600,
    purpose: 'user_data',
    filename: 'Größe "1".txt',
  });
  const { headers } = await server.send(`GET /v1/files/${body.id}/content`);
  expect(headers.get('content-disposition')).toBe(
    `attachment; filename="Gr__e _1_.txt"; filename*=UTF-8''Gr%C3%B6%C3%9Fe%20%221%22.txt`,
  );
  await server.send(`DELETE /v1/files/${body.id}`);
});

describe('the list of files', () => {
  let ids: string[];
  beforeAll(async () => {
    ids = [];
    for (let n = 0; n < 5; n++)
      ids.push(await server.upload(`${n}`, { purpose: n === 2 ? 'evals' : 'batch' }));
  });

  const list = async (query = '') => {
    const { body } = await server.send(`GET /v1/files${query}`);
    return { ...body, data: body.data.map(({ id }: { id: string }) => ids.indexOf(id)) };
  };
  const page = (data: number[], has_more: boolean) => ({
    object: 'list',
    data,
    first_id: ids[data[0] ?? -1] ?? null,
    last_id: ids[data.at(-1) ?? -1] ?? null,
    has_more,
  });

  it('has the newest first, in pages, in any order and of one purpose', async () => {
    expect(await list()).toEqual(page([4, 3, 2, 1, 0], false));
    expect(await list('?limit=2')).toEqual(page([4, 3], true));
    expect(await list(`?limit=2&after=${ids[3]}`)).toEqual(page([2, 1], true));
    expect(await list(`?limit=2&after=${ids[1]}`)).toEqual(page([0], false));
    expect(await list(`?after=${ids[0]}`)).toEqual(page([], false));
    expect(await list(`?order=asc&limit=3&after=${ids[0]}`)).toEqual(page([1, 2, 3], true));
    expect(await list('?purpose=evals')).toEqual(page([2], false));
    expect(await list('?purpose=vision&after=&order=&limit=')).toEqual(page([], false));
  });

  it.each([
    ['limit=0', 'limit'],
    ['limit=10001', 'limit'],
    ['limit=ten', 'limit'],
    ['order=up', 'order'],
    ['after=file-0', 'after'],
  ])('rejects ?%s', async (query, param) => {
    const { status, body } = await server.send(`GET /v1/files?${query}`);
    expect([status, body.error.code, body.error.param]).toEqual([400, 'invalid_value', param]);
  });
});
