import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { storyText } from '../../../cli/demo-model/stories.ts';
import {
  demoRequest,
  type ResponsesClient,
  responsesClient,
  textOf,
} from '../../harness/responses-client.ts';
import { type Demo, startDemo } from '../../harness/start-demo.ts';
import { testerSecret } from '../../harness/start-gateway.ts';
import { batchKeys, otherSecret } from '../../harness/start-store-gateway.ts';

const MARK = 'the mark of the owner';
let demo: Demo;
let owner: ResponsesClient;
let stranger: ResponsesClient;
let response: { id: string; output: { id: string }[] };
let conversation: string;
/** The ids of everything that the owner has. */
let ids: { response: string; conversation: string; item: string; output: string };
beforeAll(async () => {
  demo = await startDemo({ keys: batchKeys, env: { STORE: 'on' } });
  owner = responsesClient(demo.corral.origin, testerSecret);
  stranger = responsesClient(demo.corral.origin, otherSecret);
  const item = { type: 'message', role: 'user', content: `${MARK}: keys` };
  conversation = (await owner.send('POST /v1/conversations', { items: [item], metadata: { mark: MARK } }))
    .body.id;
  response = await owner.create({ conversation, input: `${MARK}: keys`, metadata: { mark: MARK } });
  const { body: items } = await owner.send(`GET /v1/conversations/${conversation}/items?order=asc`);
  ids = { response: response.id, conversation, item: items.data[0].id, output: response.output[0]?.id ?? '' };
  expect(Object.values(ids)).toEqual([
    expect.stringMatching(/^resp_[0-9a-f]{32}$/),
    expect.stringMatching(/^conv_[0-9a-f]{32}$/),
    expect.stringMatching(/^msg_[0-9a-f]{32}$/),
    expect.stringMatching(/^msg_[0-9a-f]{32}$/),
  ]);
});
afterAll(() => demo.stop());

const unknown: typeof ids = {
  response: `resp_${'0'.repeat(32)}`,
  conversation: `conv_${'0'.repeat(32)}`,
  item: `msg_${'0'.repeat(32)}`,
  output: `msg_${'1'.repeat(32)}`,
};
const message = { role: 'user', content: 'emoji' };

/** Every way to name a stored object, with the status for a key that does not have it. */
const requests: readonly (readonly [string, (of: typeof ids) => readonly [string, unknown?], number])[] = [
  ['get a response', ({ response: id }) => [`GET /v1/responses/${id}`], 404],
  ['follow a response', ({ response: id }) => [`GET /v1/responses/${id}?stream=true&starting_after=0`], 404],
  ['list its input', ({ response: id }) => [`GET /v1/responses/${id}/input_items`], 404],
  ['cancel it', ({ response: id }) => [`POST /v1/responses/${id}/cancel`], 404],
  ['delete it', ({ response: id }) => [`DELETE /v1/responses/${id}`], 404],
  [
    'continue it',
    ({ response: id }) => ['POST /v1/responses', demoRequest({ input: 'emoji', previous_response_id: id })],
    400,
  ],
  [
    'continue it in the background',
    ({ response: id }) => [
      'POST /v1/responses',
      demoRequest({ input: 'emoji', previous_response_id: id, background: true }),
    ],
    400,
  ],
  [
    'refer to its output',
    ({ output: id }) => [
      'POST /v1/responses',
      demoRequest({ input: [{ type: 'item_reference', id }, message] }),
    ],
    400,
  ],
  [
    'name its input',
    ({ item: id }) => ['POST /v1/responses', demoRequest({ input: [{ id }, message] })],
    400,
  ],
  ['get a conversation', ({ conversation: id }) => [`GET /v1/conversations/${id}`], 404],
  ['change it', ({ conversation: id }) => [`POST /v1/conversations/${id}`, { metadata: { a: 'b' } }], 404],
  ['list its items', ({ conversation: id }) => [`GET /v1/conversations/${id}/items`], 404],
  ['get an item', ({ conversation: id, item }) => [`GET /v1/conversations/${id}/items/${item}`], 404],
  ['add items', ({ conversation: id }) => [`POST /v1/conversations/${id}/items`, { items: [message] }], 404],
  ['delete an item', ({ conversation: id, item }) => [`DELETE /v1/conversations/${id}/items/${item}`], 404],
  [
    'use it',
    ({ conversation: id }) => ['POST /v1/responses', demoRequest({ input: 'emoji', conversation: id })],
    404,
  ],
  ['delete it, too', ({ conversation: id }) => [`DELETE /v1/conversations/${id}`], 404],
];

it.each(requests)('a stranger cannot %s: it is answered as if there was none', async (_, build, status) => {
  const foreign = await stranger.send(...build(ids));
  const none = await stranger.send(...build(unknown));
  const nameless = (text: string, of: typeof ids) =>
    Object.entries(of).reduce((result, [name, id]) => result.replaceAll(id, name), text);
  expect([foreign.status, nameless(foreign.text, ids)]).toEqual([none.status, nameless(none.text, unknown)]);
  expect(foreign.status).toBe(status);
  expect(foreign.text).not.toContain(MARK);
});

it('the owner still has all of it', async () => {
  const { body } = await owner.send(`GET /v1/responses/${ids.response}`);
  expect(textOf(body)).toBe(storyText('keys'));
  expect(body).toMatchObject({ metadata: { mark: MARK }, conversation: { id: conversation } });
  const { body: list } = await owner.send(`GET /v1/conversations/${ids.conversation}/items`);
  expect(list.data).toHaveLength(3);
  expect((await owner.send(`GET /v1/conversations/${ids.conversation}`)).body.metadata).toEqual({
    mark: MARK,
  });
});

/** Changes an id as somebody might who tries to reach the objects of others. */
const tampered = (id: string) =>
  fc.oneof(
    fc.constantFrom(
      ...[id.toUpperCase(), `${id} `, `${id}%00`, `${id}'--`, `%25`, '_', '*', id.slice(0, -1), `${id}0`],
      ...[
        id.replace('_', '%'),
        `../responses/${id}`,
        `${id}/`,
        `${id};`,
        `${id}?`,
        `${id}%2Finput_items`,
        '%',
      ],
      ...[
        id.slice(5),
        `resp_${id.slice(5)}`,
        `conv_${id.slice(5)}`,
        "' OR ''='",
        'null',
        'undefined',
        '-1',
        '0',
      ],
    ),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 60 }),
    fc
      .tuple(fc.nat(id.length - 1), fc.constantFrom(...'0123456789abcdef'))
      .map(([at, digit]) => id.slice(0, at) + digit + id.slice(at + 1)),
  );

it('no tampered id reads anything of others', async () => {
  const routes = (id: string) => [
    `GET /v1/responses/${id}`,
    `GET /v1/responses/${id}/input_items`,
    `GET /v1/conversations/${id}`,
    `GET /v1/conversations/${id}/items`,
    `DELETE /v1/responses/${id}`,
  ];
  await fc.assert(
    fc.asyncProperty(fc.oneof(tampered(ids.response), tampered(ids.conversation)), async (id) => {
      for (const route of routes(encodeURIComponent(id))) {
        const { status, text } = await stranger.send(route);
        expect([400, 404, 405]).toContain(status);
        expect(text).not.toContain(MARK);
      }
      const { status, text } = await stranger.send(
        'POST /v1/responses',
        demoRequest({ input: 'emoji', previous_response_id: id, max_output_tokens: 1 }),
      );
      expect([400, 404]).toContain(status);
      expect(text).not.toContain(MARK);
    }),
    { numRuns: 30 },
  );
  expect((await owner.send(`GET /v1/responses/${ids.response}`)).status).toBe(200);
});
