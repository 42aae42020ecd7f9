import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type StoreGateway, startStoreGateway } from '../../harness/start-store-gateway.ts';

let server: StoreGateway;
beforeAll(async () => {
  server = await startStoreGateway({ MAX_REQUEST_BODY_SIZE: '1MiB' });
});
afterAll(() => server[Symbol.asyncDispose]());

const message = (text: string) => ({ role: 'user', content: text });
const texts = (...numbers: number[]) => numbers.map((n) => `text ${n}`);
const upTo = (count: number) => Array.from({ length: count }, (_, n) => message(`text ${n}`));

async function create(json: unknown = {}): Promise<string> {
  const { status, body } = await server.send('POST /v1/conversations', { json });
  expect([status, body]).toEqual([200, expect.objectContaining({ object: 'conversation' })]);
  return body.id;
}

async function page(id: string, query = '') {
  const { status, body } = await server.send(`GET /v1/conversations/${id}/items${query}`);
  if (status !== 200) return [status, body.error.code, body.error.param];
  expect(body).toEqual({
    object: 'list',
    data: body.data,
    first_id: body.data[0]?.id ?? null,
    last_id: body.data.at(-1)?.id ?? null,
    has_more: body.has_more,
  });
  return {
    has_more: body.has_more,
    texts: body.data.map(({ content }: { content: [{ text: string }] }) => content[0].text),
    ids: body.data.map(({ id: itemId }: { id: string }) => itemId) as string[],
  };
}

describe('a conversation', () => {
  it('is created, read, changed and deleted', async () => {
    const metadata = { topic: 'llamas' };
    const created = await server.send('POST /v1/conversations', { json: { metadata } });
    const conversation = {
      id: expect.stringMatching(/^conv_[0-9a-f]{32}$/),
      object: 'conversation',
      created_at: expect.any(Number),
      metadata,
    };
    expect([created.status, created.body]).toEqual([200, conversation]);
    const { id } = created.body;
    expect((await server.send(`GET /v1/conversations/${id}`)).body).toEqual(created.body);
    const changed = { ...created.body, metadata: { topic: 'alpacas', colour: 'brown' } };
    const update = { json: { metadata: changed.metadata } };
    expect((await server.send(`POST /v1/conversations/${id}`, update)).body).toEqual(changed);
    expect((await server.send(`GET /v1/conversations/${id}`)).body).toEqual(changed);
    expect((await server.send(`POST /conversations/${id}`, { json: { metadata: null } })).body).toEqual({
      ...changed,
      metadata: {},
    });
    const deleted = await server.send(`DELETE /v1/conversations/${id}`);
    expect([deleted.status, deleted.body]).toEqual([
      200,
      { id, object: 'conversation.deleted', deleted: true },
    ]);
    for (const request of [`GET /v1/conversations/${id}`, `DELETE /v1/conversations/${id}`]) {
      const { status, body } = await server.send(request);
      expect([status, body.error.message]).toEqual([404, `Conversation with id '${id}' not found.`]);
    }
  });

  it.each([
    ['without a body', {}],
    ['with an empty body', { body: '' }],
    ['with an empty object', { json: {} }],
    ['with nulls', { json: { items: null, metadata: null } }],
  ])('may be created %s', async (_, request) => {
    const { status, body } = await server.send('POST /v1/conversations', request);
    expect([status, body.metadata]).toEqual([200, {}]);
    expect(await page(body.id)).toEqual({ has_more: false, texts: [], ids: [] });
  });

  it('has the items that it was created with, and those that were added', async () => {
    const id = await create({ items: upTo(2) });
    const { status, body } = await server.send(`POST /v1/conversations/${id}/items`, {
      json: { items: [message('text 2'), message('text 3')] },
    });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      ...{ object: 'list', has_more: false, first_id: body.data[0].id, last_id: body.data[1].id },
      data: [{ content: [{ text: 'text 2' }] }, { content: [{ text: 'text 3' }] }],
    });
    expect(await page(id, '?order=asc')).toMatchObject({ texts: texts(0, 1, 2, 3) });
  });
});

describe('items', () => {
  it("have OpenAI's format, whatever the client left out", async () => {
    const image = 'data:image/png;base64,iVBORw0KGgo=';
    const id = await create({
      items: [
        { role: 'developer', content: 'Be brief.' },
        {
          type: 'message',
          role: 'user',
          content: [
            { type: 'input_text', text: 'What is it?' },
            { type: 'input_image', image_url: image },
          ],
        },
        { type: 'reasoning', summary: [], content: [{ type: 'reasoning_text', text: 'An image.' }] },
        { type: 'function_call', call_id: 'call_1', name: 'look', arguments: '{}' },
        { type: 'function_call_output', call_id: 'call_1', output: 'a llama' },
        { type: 'custom_tool_call', call_id: 'call_2', name: 'shell', input: 'ls' },
        { type: 'custom_tool_call_output', call_id: 'call_2', output: 'none' },
        { role: 'assistant', content: 'A llama.' },
      ],
    });
    const { body } = await server.send(`GET /v1/conversations/${id}/items?order=asc`);
    const status = 'completed';
    const of = (prefix: string) => expect.stringMatching(new RegExp(`^${prefix}_[0-9a-f]{32}$`));
    expect(body.data).toEqual([
      {
        ...{ id: of('msg'), type: 'message', status, role: 'developer' },
        content: [{ type: 'input_text', text: 'Be brief.' }],
      },
      {
        ...{ id: of('msg'), type: 'message', status, role: 'user' },
        content: [
          { type: 'input_text', text: 'What is it?' },
          { type: 'input_image', image_url: image, detail: 'auto' },
        ],
      },
      {
        ...{ id: of('rs'), type: 'reasoning', summary: [] },
        content: [{ type: 'reasoning_text', text: 'An image.' }],
      },
      { id: of('fc'), type: 'function_call', status, call_id: 'call_1', name: 'look', arguments: '{}' },
      { id: of('fco'), type: 'function_call_output', status, call_id: 'call_1', output: 'a llama' },
      { id: of('ctc'), type: 'custom_tool_call', call_id: 'call_2', name: 'shell', input: 'ls' },
      { id: of('ctco'), type: 'custom_tool_call_output', call_id: 'call_2', output: 'none' },
      {
        ...{ id: of('msg'), type: 'message', status, role: 'assistant' },
        content: [{ type: 'output_text', text: 'A llama.', annotations: [], logprobs: [] }],
      },
    ]);
    for (const item of body.data)
      expect((await server.send(`GET /v1/conversations/${id}/items/${item.id}`)).body).toEqual(item);
  });

  it('are listed in pages, newest first', async () => {
    const id = await create({ items: upTo(20) });
    expect(await page(id)).toMatchObject({ has_more: false, texts: texts(...range(19, 0)) });
    await server.send(`POST /v1/conversations/${id}/items`, { json: { items: upTo(1) } });
    expect(await page(id)).toMatchObject({ has_more: true, texts: texts(0, ...range(19, 1)) });
    expect(await page(id, '?limit=100')).toMatchObject({ has_more: false });
    for (const [order, first, second] of [
      ['asc', texts(0, 1, 2), texts(3, 4, 5)],
      ['desc', texts(0, 19, 18), texts(17, 16, 15)],
    ] as const) {
      const one = await page(id, `?limit=3&order=${order}`);
      expect(one).toMatchObject({ has_more: true, texts: first });
      const after = 'ids' in one ? one.ids[2] : '';
      expect(await page(id, `?limit=3&order=${order}&after=${after}`)).toMatchObject({
        has_more: true,
        texts: second,
      });
    }
  });

  it.each(['asc', 'desc'])('are all listed once, %s, while others are removed', async (order) => {
    const id = await create({ items: upTo(12) });
    const all = await page(id, `?order=${order}`);
    if (!('ids' in all)) throw new Error('no page');
    const seen: string[] = [];
    for (let after = ''; ; ) {
      const some = await page(id, `?limit=3&order=${order}${after}`);
      if (!('ids' in some)) throw new Error('no page');
      seen.push(...some.ids);
      if (!some.has_more) break;
      after = `&after=${some.ids.at(-1)}`;
      // One that was listed, and the next one that would be.
      for (const gone of [some.ids[0], all.ids[all.ids.indexOf(some.ids.at(-1) ?? '') + 1]])
        expect((await server.send(`DELETE /v1/conversations/${id}/items/${gone}`)).status).toBe(200);
    }
    const expected = all.ids.filter((_, n) => ![3, 7, 11].includes(n));
    expect(seen).toEqual(expected);
  });

  it.each(['asc', 'desc'])('may all be removed one by one while they are listed, %s', async (order) => {
    const id = await create({ items: upTo(10) });
    const seen: unknown[] = [];
    for (let after = ''; ; ) {
      const some = await page(id, `?limit=4&order=${order}${after}`);
      if (!('ids' in some)) throw new Error(`no page: ${some}`);
      seen.push(...some.texts);
      for (const item of some.ids) await server.send(`DELETE /v1/conversations/${id}/items/${item}`);
      if (!some.has_more) break;
      after = `&after=${some.ids.at(-1)}`;
    }
    expect(seen).toEqual(texts(...(order === 'asc' ? range(9, 0).reverse() : range(9, 0))));
    expect(await page(id)).toMatchObject({ texts: [] });
  });

  it('cannot be listed behind one that is elsewhere', async () => {
    const id = await create({ items: upTo(3) });
    const elsewhere = await create({ items: upTo(2) });
    const others = await page(elsewhere);
    if (!('ids' in others)) throw new Error('no page');
    await server.send(`DELETE /v1/conversations/${elsewhere}/items/${others.ids[0]}`);
    for (const after of [...others.ids, 'msg_0'])
      expect(await page(id, `?after=${after}`)).toEqual([400, 'invalid_value', 'after']);
  });

  it('are removed one by one; the response is the conversation', async () => {
    const id = await create({ items: upTo(3), metadata: { a: 'b' } });
    const items = await page(id, '?order=asc');
    if (!('ids' in items)) throw new Error('no page');
    const { status, body } = await server.send(`DELETE /v1/conversations/${id}/items/${items.ids[1]}`);
    expect([status, body]).toEqual([200, (await server.send(`GET /v1/conversations/${id}`)).body]);
    expect(await page(id, '?order=asc')).toMatchObject({ texts: texts(0, 2) });
    for (const method of ['GET', 'DELETE']) {
      const again = await server.send(`${method} /v1/conversations/${id}/items/${items.ids[1]}`);
      expect([again.status, again.body.error.code]).toEqual([404, 'item_not_found']);
    }
  });

  it('of another conversation are not found, but may be referred to', async () => {
    const source = await create({ items: upTo(2) });
    const items = await page(source, '?order=asc');
    if (!('ids' in items)) throw new Error('no page');
    const id = await create({ items: [{ type: 'item_reference', id: items.ids[1] }, { id: items.ids[0] }] });
    expect(await page(id, '?order=asc')).toMatchObject({ texts: texts(1, 0) });
    const other = await create();
    for (const method of ['GET', 'DELETE']) {
      const { status, body } = await server.send(
        `${method} /v1/conversations/${other}/items/${items.ids[0]}`,
      );
      expect([status, body.error.code]).toEqual([404, 'item_not_found']);
    }
    // What refers to it keeps it.
    await server.send(`DELETE /v1/conversations/${source}`);
    expect(await page(id, '?order=asc')).toMatchObject({ texts: texts(1, 0) });
  });
});

describe('a request is rejected', () => {
  const pairs = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, 'v']));

  it.each([
    ['with 17 pairs', pairs(17)],
    ['with a key of 65 characters', { ['k'.repeat(65)]: 'v' }],
    ['with a value of 513 characters', { k: 'v'.repeat(513) }],
    ['with a number as value', { k: 1 }],
    ['with a null as value', { k: null }],
    ['with a list', []],
    ['with a text', 'topic'],
  ])('metadata %s', async (_, metadata) => {
    const id = await create({ metadata: { a: 'b' } });
    for (const request of ['POST /v1/conversations', `POST /v1/conversations/${id}`]) {
      const { status, body } = await server.send(request, { json: { metadata } });
      expect([status, body.error.code, body.error.param]).toEqual([400, 'invalid_value', 'metadata']);
    }
    expect((await server.send(`GET /v1/conversations/${id}`)).body.metadata).toEqual({ a: 'b' });
  });

  it('but not with the most that metadata may have', async () => {
    const metadata = { ...pairs(15), ['k'.repeat(64)]: 'v'.repeat(512) };
    const id = await create({ metadata });
    expect((await server.send(`GET /v1/conversations/${id}`)).body.metadata).toEqual(metadata);
  });

  it.each([
    ['21 items', upTo(21), 'items'],
    ['a text', 'hello', 'items'],
    ['an object', {}, 'items'],
    ['a number as item', [message('a'), 1], 'items[1]'],
    ['an item of no type', [{ text: 'a' }], 'items[0]'],
    ['a message of an unknown role', [{ role: 'critic', content: 'a' }], 'items[0].role'],
    ['a message without content', [{ role: 'user' }], 'items[0].content'],
    ['a reference to nothing', [message('a'), { type: 'item_reference', id: 'msg_0' }], 'items[1]'],
  ])('with %s', async (_, items, param) => {
    const id = await create();
    for (const request of ['POST /v1/conversations', `POST /v1/conversations/${id}/items`]) {
      const { status, body } = await server.send(request, { json: { items } });
      expect([status, body.error.param]).toEqual([400, param]);
    }
    expect(await page(id)).toMatchObject({ texts: [] });
  });

  it('with media by URL', async () => {
    const content = [{ type: 'input_image', image_url: 'http://127.0.0.1/secret' }];
    const { status, body } = await server.send('POST /v1/conversations', {
      json: { items: [{ role: 'user', content }] },
    });
    expect([status, body.error.code]).toEqual([400, 'remote_media_not_allowed']);
    expect(body.error.param).toBe('items[0].content[0].image_url');
  });

  it.each([
    ['[]', 400, 'invalid_json'],
    ['{"items":', 400, 'invalid_json'],
    [`{"items":${'['.repeat(300)}${']'.repeat(300)}}`, 400, 'invalid_json'],
    [`{"metadata":{"a":"${'x'.repeat(1024 ** 2)}"}}`, 413, 'payload_too_large'],
  ])('with the body %.20s', async (body, status, code) => {
    const response = await server.send('POST /v1/conversations', { body });
    expect([response.status, response.body.error.code]).toEqual([status, code]);
  });

  it('without what it is about', async () => {
    const id = await create();
    for (const [request, param] of [
      [`POST /v1/conversations/${id}`, 'metadata'],
      [`POST /v1/conversations/${id}/items`, 'items'],
    ] as const) {
      const { status, body } = await server.send(request, { json: {} });
      expect([status, body.error.param]).toEqual([400, param]);
    }
  });

  it.each(['limit=0', 'limit=101', 'limit=x', 'order=up'])('for a list with %s', async (query) => {
    const id = await create();
    expect(await page(id, `?${query}`)).toEqual([400, 'invalid_value', query.split('=')[0]]);
  });

  it.each([-1, 0, 101])('for a list, with its limit of %i', async (limit) => {
    const { body } = await server.send(`GET /v1/conversations/${await create()}/items?limit=${limit}`);
    expect(body.error.message).toContain(`from 1 to 100, got ${limit}.`);
  });

  it('with a method that the path does not have', async () => {
    for (const [request, allow] of [
      ['GET /v1/conversations', 'POST'],
      ['PUT /v1/conversations/conv_0', 'GET, POST, DELETE'],
      ['DELETE /v1/conversations/conv_0/items', 'GET, POST'],
      ['POST /v1/conversations/conv_0/items/msg_0', 'GET, DELETE'],
      ['POST /v1/responses/resp_0', 'GET, DELETE'],
      ['GET /v1/responses/resp_0/cancel', 'POST'],
      ['POST /v1/responses/resp_0/input_items', 'GET'],
      ['GET /v1/responses/input_tokens', 'POST'],
    ] as const) {
      const { status, headers } = await server.send(request);
      expect([request, status, headers.get('allow')]).toEqual([request, 405, allow]);
    }
  });
});

it('a new one counts in the requests per minute, and nothing else does', async () => {
  await using own = await startStoreGateway({ MAX_REQUESTS_PER_MINUTE: '2' });
  const { body } = await own.send('POST /v1/conversations', { json: {} });
  const path = `/v1/conversations/${body.id}`;
  for (let n = 0; n < 3; n++) {
    expect((await own.send(`POST ${path}/items`, { json: { items: upTo(1) } })).status).toBe(200);
    expect((await own.send(`GET ${path}/items`)).status).toBe(200);
    expect((await own.send(`POST ${path}`, { json: { metadata: {} } })).status).toBe(200);
  }
  expect((await own.send('POST /v1/conversations', { json: {} })).status).toBe(200);
  const { status, body: rejected } = await own.send('POST /v1/conversations', { json: {} });
  expect([status, rejected.error.code]).toEqual([429, 'rate_limit_exceeded']);
});

it.each([
  ['not with STORE_KEY', { STORE_KEY: 'ab'.repeat(32) }, false],
  ['without it', {}, true],
])('another process finds a conversation; its texts are on disk: %s', async (_, env, isReadable) => {
  await using own = await startStoreGateway(env);
  const json = { items: [message('a very secret text')], metadata: { topic: 'a secret topic' } };
  const { body } = await own.send('POST /v1/conversations', { json });
  expect(own.openStore().conversations.get('tester', body.id)).toMatchObject({ metadata: json.metadata });
  const bytes = ['store.sqlite', 'store.sqlite-wal'].map((name) =>
    readFileSync(join(own.corral.folder, name)),
  );
  for (const text of ['a very secret text', 'a secret topic'])
    expect(bytes.some((file) => file.includes(text))).toBe(isReadable);
});

it('an item that was changed on disk is an error that says so; the others can be read', async () => {
  await using own = await startStoreGateway({ STORE_KEY: 'ab'.repeat(32) });
  const { body } = await own.send('POST /v1/conversations', { json: { items: upTo(2) } });
  const path = `/v1/conversations/${body.id}`;
  const { data } = (await own.send(`GET ${path}/items`)).body;
  using db = new DatabaseSync(join(own.corral.folder, 'store.sqlite'));
  db.prepare('UPDATE items SET content = zeroblob(length(content)) WHERE id = ?').run(data[0].id);
  for (const request of [`GET ${path}/items`, `GET ${path}/items/${data[0].id}`]) {
    const { status, body: failed, headers } = await own.send(request);
    expect([status, failed.error.code, headers.get('x-should-retry')]).toEqual([
      ...[500, 'content_unreadable', 'false'],
    ]);
  }
  expect((await own.send(`GET ${path}/items/${data[1].id}`)).body).toEqual(data[1]);
  expect((await own.send(`DELETE ${path}/items/${data[0].id}`)).status).toBe(200);
  expect((await own.send(`GET ${path}/items`)).body.data).toEqual([data[1]]);
});

function range(from: number, to: number): number[] {
  return Array.from({ length: from - to + 1 }, (_, n) => from - n);
}
