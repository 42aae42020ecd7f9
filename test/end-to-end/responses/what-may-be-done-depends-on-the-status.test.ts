import { afterAll, beforeAll, expect, it } from 'vitest';
import { storyText } from '../../../cli/demo-model/stories.ts';
import { killProcess } from '../../harness/child-processes.ts';
import {
  type Answer,
  demoRequest,
  type ResponsesClient,
  responsesClient,
  textOf,
} from '../../harness/responses-client.ts';
import { type BatchDeployment, startBatchRunner } from '../../harness/start-batch-runner.ts';

const keys = {
  app: { secret: 'sk-app-0123456789abcdef' },
  other: { secret: 'sk-other-0123456789abcdef' },
};
let product: BatchDeployment;
let app: ResponsesClient;
let other: ResponsesClient;
beforeAll(async () => {
  product = await startBatchRunner({ keys });
  const origin = `http://127.0.0.1:${product.deployment.gatewayPort}`;
  app = responsesClient(origin, keys.app.secret);
  other = responsesClient(origin, keys.other.secret);
});
afterAll(() => product[Symbol.asyncDispose]());

const ofJson = async (fields: object) => (await app.create(fields)).id as string;
const ofStream = async (fields: object) => {
  await using stream = await app.stream(fields);
  await stream.ended;
  return stream.id();
};
const ofBackground = async (fields: object) => {
  const id = await ofJson({ background: true, ...fields });
  await app.untilEnded(id);
  return id;
};
const cancel = (id: string) => app.send(`POST /v1/responses/${id}/cancel`);

/** What a client may do with a response. `continue` is a request with it as `previous_response_id`. */
const operations = {
  get: (id: string) => app.send(`GET /v1/responses/${id}`),
  follow: (id: string) => app.send(`GET /v1/responses/${id}?stream=true`),
  items: (id: string) => app.send(`GET /v1/responses/${id}/input_items`),
  cancel,
  continue: (id: string) =>
    app.send('POST /v1/responses', { model: 'demo', input: 'emoji', previous_response_id: id }),
  delete: (id: string) => app.send(`DELETE /v1/responses/${id}`),
};
type Outcomes = Record<keyof typeof operations, string>;

/** What an answer says, in short. */
function outcomeOf({ status, contentType, text, body }: Answer, id: string): string {
  if (contentType.startsWith('text/event-stream')) return `${status} ${lastEventIn(text)}`;
  if (body.error) return `${status} ${body.error.message.replace(id, 'ID')}`;
  if (body.deleted) return `${status} deleted`;
  if (body.object === 'response') return `${status} ${body.status} ${topicOf(textOf(body))}`.trimEnd();
  return `${status} ${body.object === 'list' ? `${body.data.length} item` : body.object}`;
}

const lastEventIn = (text: string) => [...text.matchAll(/^event: (\S+)$/gm)].at(-1)?.[1];
const topicOf = (text: string) =>
  (['keys', 'emoji'] as const).find((topic) => text === storyText(topic)) ?? (text === '' ? '' : 'part');

const none = "404 Response with id 'ID' not found.";
const nothing: Outcomes = {
  ...{ get: none, follow: none, items: none, cancel: none, delete: none },
  continue: "400 Previous response with id 'ID' not found.",
};
const kept = { items: '200 1 item', continue: '200 completed emoji', delete: '200 deleted' };
const synchronous: Outcomes = {
  ...kept,
  get: '200 completed keys',
  follow: '400 This response cannot be streamed because it was not created with background=true.',
  cancel: '400 Cannot cancel a synchronous response.',
};
const background: Outcomes = {
  ...kept,
  get: '200 completed keys',
  follow: '200 response.completed',
  cancel: '400 Cannot cancel a completed response.',
};

/** How a response gets into each state, and what may be done with it then. */
const states: readonly (readonly [string, () => Promise<string>, Outcomes])[] = [
  ['synchronous', () => ofJson({ input: 'keys' }), synchronous],
  ['streamed', () => ofStream({ input: 'keys' }), synchronous],
  [
    'incomplete',
    () => ofJson({ input: 'keys', max_output_tokens: 5 }),
    { ...synchronous, get: '200 incomplete part' },
  ],
  ['not stored', () => ofJson({ input: 'keys', store: false }), nothing],
  ['streamed and not stored', () => ofStream({ input: 'keys', store: false }), nothing],
  ['a background one', () => ofBackground({ input: 'keys' }), background],
  ['a streamed background one', () => ofStream({ input: 'keys', background: true }), background],
  [
    'an incomplete background one',
    () => ofBackground({ input: 'keys', max_output_tokens: 5 }),
    {
      ...{ ...background, get: '200 incomplete part', follow: '200 response.incomplete' },
      cancel: '400 Cannot cancel an incomplete response.',
    },
  ],
  [
    'a cancelled background one',
    async () => {
      const id = await ofJson({ input: 'tell me a long story', background: true });
      expect((await cancel(id)).body.status).toBe('cancelled');
      return id;
    },
    {
      ...{ ...background, get: '200 cancelled', follow: '200 response.failed', cancel: '200 cancelled' },
      continue: "400 Previous response with id 'ID' cannot be continued: its status is 'cancelled'.",
    },
  ],
  [
    'deleted',
    async () => {
      const id = await ofJson({ input: 'keys' });
      const { body } = await operations.delete(id);
      expect(body).toEqual({ id, object: 'response', deleted: true });
      return id;
    },
    nothing,
  ],
  ["another key's", async () => (await other.create({ input: 'keys' })).id, nothing],
  [
    "another key's background one",
    async () => (await other.create({ input: 'keys', background: true })).id,
    nothing,
  ],
  ['unknown', async () => `resp_${'0'.repeat(32)}`, nothing],
  ['of no such form', async () => 'resp_does_not_exist', nothing],
];

it.each(states)('a response that is %s', async (_, create, wanted) => {
  const id = await create();
  const seen: Record<string, string> = {};
  for (const [operation, run] of Object.entries(operations)) seen[operation] = outcomeOf(await run(id), id);
  expect(seen).toEqual(wanted);
  expect(outcomeOf(await operations.get(id), id)).toBe(none);
});

/** The type of the answer to a request, and what becomes of the response. */
const modes: readonly (readonly [object, string, string])[] = [
  [{}, 'application/json', '200 completed keys'],
  [{ stream: true }, 'text/event-stream', '200 completed keys'],
  [{ store: false }, 'application/json', none],
  [{ store: false, stream: true }, 'text/event-stream', none],
  [{ background: true }, 'application/json', '200 completed keys'],
  [{ background: true, stream: true }, 'text/event-stream', '200 completed keys'],
  [{ store: null, background: null, stream: null }, 'application/json', '200 completed keys'],
];

it.each(modes)('one that is created with %j', async (fields, contentType, wanted) => {
  const answer = await app.send('POST /v1/responses', demoRequest({ input: 'keys', ...fields }));
  expect([answer.status, answer.contentType.split(';')[0]]).toEqual([200, contentType]);
  const id = /resp_[0-9a-f]{32}/.exec(answer.text)?.[0] ?? '';
  if (wanted !== none) {
    const { background } = await app.untilEnded(id);
    expect(background).toBe('background' in fields && fields.background === true);
  }
  expect(outcomeOf(await operations.get(id), id)).toBe(wanted);
});

it.each([false, true])(
  'none can be created in the background that is not stored (stream: %s)',
  async (stream) => {
    const request = demoRequest({ input: 'keys', store: false, background: true, stream });
    const { status, body } = await app.send('POST /v1/responses', request);
    expect([status, body.error.param]).toEqual([400, 'background']);
    expect(body.error.message).toBe("background can only be used when 'store' is true.");
  },
);

it('a response in progress: a synchronous one does not exist yet, one in the background does', async () => {
  const engine = product.pidOf('engine');
  const story = { input: 'tell me a long story', max_output_tokens: 2000 };
  await using follower = await app.stream({ ...story, background: true });
  await follower.event('response.output_text.delta');
  await using stream = await app.stream(story);
  await stream.event('response.output_text.delta');
  killProcess(engine, 'SIGSTOP');
  const [id, inBackground] = [await stream.id(), await follower.id()];
  try {
    expect(await operations.get(id)).toMatchObject({ status: 404 });
    expect(await cancel(id)).toMatchObject({ status: 404 });
    expect(await operations.delete(id)).toMatchObject({ status: 404 });
    expect(outcomeOf(await operations.get(inBackground), inBackground)).toMatch(/^200 in_progress/);
    expect(outcomeOf(await operations.items(inBackground), inBackground)).toBe('200 1 item');
    expect(outcomeOf(await cancel(inBackground), inBackground)).toBe('200 cancelled');
    expect(outcomeOf(await cancel(inBackground), inBackground)).toBe('200 cancelled');
    // There is no other event for it: clients know this one as the last.
    expect((await follower.ended).at(-1)).toMatchObject({
      type: 'response.failed',
      response: { status: 'cancelled' },
    });
  } finally {
    killProcess(engine, 'SIGCONT');
  }
  const events = await stream.ended;
  expect(events.at(-1)).toMatchObject({ type: 'response.incomplete', response: { id } });
  expect(outcomeOf(await operations.get(id), id)).toBe('200 incomplete part');
});
