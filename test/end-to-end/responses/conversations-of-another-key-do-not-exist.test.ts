import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testerSecret } from '../../harness/start-gateway.ts';
import { otherSecret, type StoreGateway, startStoreGateway } from '../../harness/start-store-gateway.ts';

const secretText = 'nobody else may read this';
const items = [{ role: 'user', content: secretText }];

let server: StoreGateway;
let conversation: string;
let item: string;
/** Of the other key. */
let own: string;
beforeAll(async () => {
  server = await startStoreGateway();
  const create = (json: unknown, secret: string) => server.send('POST /v1/conversations', { json, secret });
  conversation = (await create({ items, metadata: { note: secretText } }, testerSecret)).body.id;
  item = (await server.send(`GET /v1/conversations/${conversation}/items`)).body.first_id;
  own = (await create({}, otherSecret)).body.id;
});
afterAll(() => server[Symbol.asyncDispose]());

/** The same response, but for the ids and what is new in each. */
function withoutIds({ status, text }: { status: number; text: string }): string {
  return `${status} ${text.replace(/(?:conv_|msg_)\w+/g, 'ID').replace(/"request_id":"[^"]*"/, '')}`;
}

const requests = [
  'GET /v1/conversations/CONV',
  'POST /v1/conversations/CONV {"metadata":{"a":"b"}}',
  'POST /v1/conversations/CONV {"metadata":1}',
  'DELETE /v1/conversations/CONV',
  'GET /v1/conversations/CONV/items',
  'GET /v1/conversations/CONV/items?after=ITEM',
  'POST /v1/conversations/CONV/items {"items":[{"role":"user","content":"a"}]}',
  'POST /v1/conversations/CONV/items {"items":1}',
  'GET /v1/conversations/CONV/items/ITEM',
  'DELETE /v1/conversations/CONV/items/ITEM',
  'GET /v1/conversations/OWN/items/ITEM',
  'DELETE /v1/conversations/OWN/items/ITEM',
  'GET /v1/conversations/OWN/items?after=ITEM',
  'POST /v1/conversations {"items":[{"type":"item_reference","id":"ITEM"}]}',
  'POST /v1/conversations/OWN/items {"items":[{"id":"ITEM"}]}',
  'POST /v1/responses {"conversation":"CONV","input":"hello"}',
  'POST /v1/responses {"conversation":{"id":"CONV"},"input":"hello","store":false}',
  'POST /v1/responses {"conversation":"CONV","input":"hello","background":true}',
  'POST /v1/responses {"conversation":"OWN","input":[{"type":"item_reference","id":"ITEM"}]}',
];

it.each(requests)('%s responds to another key as if there were none', async (request) => {
  const send = (ids: readonly [string, string]) => {
    const filled = request.replace('CONV', ids[0]).replace('ITEM', ids[1]).replace('OWN', own);
    const [what = '', body] = filled.split(' {', 2);
    return server.send(what, {
      secret: otherSecret,
      ...(body !== undefined && { body: `{${body}`, headers: { 'content-type': 'application/json' } }),
    });
  };
  const none = '0'.repeat(32);
  const foreign = await send([conversation, item]);
  expect(withoutIds(foreign)).toBe(withoutIds(await send([`conv_${none}`, `msg_${none}`])));
  expect([400, 404]).toContain(foreign.status);
});

describe('ids that nobody was given', () => {
  const strange = fc.oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 80 }),
    fc.constantFrom('..', '.', '%00', '%2e%2e', "' OR 1=1 --", 'null', 'undefined', '*', '%', '_'),
    fc.constantFrom('conv_', 'CONV_', 'resp_', 'msg_').map((prefix) => prefix + '0'.repeat(32)),
    fc.nat(31).map((at) => conversation.slice(0, 5 + at) + conversation.slice(6 + at)),
    fc.nat(200).map((length) => conversation + ' '.repeat(length + 1)),
    fc
      .constantFrom(
        () => conversation.toUpperCase(),
        () => conversation.replace('conv_', 'msg_'),
      )
      .map((make) => make()),
  );

  it('read and change nothing', async () => {
    await fc.assert(
      fc.asyncProperty(
        strange,
        fc.constantFrom('GET', 'DELETE', 'POST'),
        fc.constantFrom('', '/items', '/items/ITEM'),
        fc.boolean(),
        fc.constantFrom(testerSecret, otherSecret),
        async (id, method, rest, isRaw, secret) => {
          const named = isRaw
            ? id.replace(/[^\x21-\x7e]|[#?/\\]/g, '')
            : encodeURIComponent(id.toWellFormed());
          fc.pre(secret === otherSecret || named !== conversation);
          const path = `/v1/conversations/${named}${rest.replace('ITEM', item)}`;
          const { status, text } = await server.send(`${method} ${path}`, {
            secret,
            ...(method === 'POST' && { json: { metadata: {}, items } }),
          });
          expect([400, 404, 405]).toContain(status);
          expect(text).not.toContain(secretText);
        },
      ),
      { numRuns: 300 },
    );
  });
});

it('nothing of the other key was touched', async () => {
  const { body } = await server.send(`GET /v1/conversations/${conversation}`);
  expect(body.metadata).toEqual({ note: secretText });
  const listed = await server.send(`GET /v1/conversations/${conversation}/items`);
  expect(listed.body.data).toMatchObject([{ id: item, content: [{ text: secretText }] }]);
});
