import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { answerWithItems, outputText } from '../../fakes/responses-engine.ts';
import { type FakeBackend, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { startTestGateway, type TestGateway } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';

let output = [outputText('')];
let backend: FakeBackend;
let corral: TestGateway;

beforeAll(async () => {
  backend = await startFakeBackend(answerWithItems(() => output));
  corral = await startTestGateway({ backend: backend.backend, env: { STORE: 'on' } });
});
afterAll(async () => {
  await corral.stop();
  await backend.stop();
});
beforeEach(() => {
  output = [outputText('I see.')];
});

async function send(what: string, json?: object) {
  const [method = '', path = ''] = what.split(' ');
  const response = await fetch(corral.origin + path, {
    method,
    headers: { authorization: `Bearer ${corral.secret}`, 'content-type': 'application/json' },
    body: json === undefined ? null : JSON.stringify(json),
  });
  // biome-ignore lint/suspicious/noExplicitAny: responses of many shapes
  return { status: response.status, body: (await response.json()) as any };
}

/** Returns the response, and the request that the engine got. */
async function ask(fields: object) {
  const { status, body } = await send('POST /v1/responses', fields);
  expect(status, JSON.stringify(body)).toBe(200);
  return { response: body, sent: JSON.parse(backend.received.at(-1)?.body ?? '') };
}

/** Answers when the returned function is called, and not before. */
function holdAnswers(): () => void {
  const release = Promise.withResolvers<void>();
  const { scenario } = backend;
  backend.scenario = async (request, response) => {
    await release.promise;
    scenario(request, response);
  };
  return () => {
    backend.scenario = scenario;
    release.resolve();
  };
}

const said = (text: string, role = 'user') => ({ role, content: text });
/** What matters of items: who said what, or what was called. */
const outline = (items: readonly Record<string, unknown>[]) =>
  items.map(({ type, role, content, name, call_id, arguments: args, output: result }) => {
    if (type !== 'message' && type !== undefined)
      return [type, ...[name, call_id, args, result].filter((value) => value !== undefined)];
    const texts =
      typeof content === 'string' ? content : (content as { text: string }[]).map(({ text }) => text);
    return [role, texts.toString()];
  });
const answered = ['assistant', 'I see.'];

describe('previous_response_id', () => {
  it('puts the whole conversation before the input, and nothing of the fields that name it', async () => {
    const first = await ask({ input: 'one', instructions: 'Be brief.', model: 'a' });
    expect(first.sent.input).toBe('one');
    const second = await ask({ input: [said('two')], previous_response_id: first.response.id });
    const third = await ask({ input: 'three', previous_response_id: second.response.id, stream: false });
    expect(outline(third.sent.input)).toEqual([
      ['user', 'one'],
      answered,
      ['user', 'two'],
      answered,
      ['user', 'three'],
    ]);
    for (const field of ['previous_response_id', 'conversation', 'instructions'])
      expect(third.sent).not.toHaveProperty(field);
    expect(third.response).toMatchObject({
      previous_response_id: second.response.id,
      conversation: null,
      instructions: null,
      store: true,
      background: false,
    });
  });

  it('may be the same any number of times: branches do not see each other', async () => {
    const root = (await ask({ input: 'root' })).response.id;
    const [left, right] = [
      await ask({ input: 'left', previous_response_id: root }),
      await ask({ input: 'right', previous_response_id: root }),
    ];
    const { sent } = await ask({ input: 'on', previous_response_id: left.response.id });
    expect(outline(sent.input).filter(([role]) => role === 'user')).toEqual([
      ['user', 'root'],
      ['user', 'left'],
      ['user', 'on'],
    ]);
    expect(outline(right.sent.input).flat()).not.toContain('left');
    expect(await send(`DELETE /v1/responses/${left.response.id}`)).toMatchObject({
      status: 200,
      body: { id: left.response.id, object: 'response', deleted: true },
    });
    expect((await send(`GET /v1/responses/${left.response.id}`)).status).toBe(404);
    const gone = await send('POST /v1/responses', { input: 'x', previous_response_id: left.response.id });
    expect(gone).toMatchObject({ status: 400, body: { error: { code: 'previous_response_not_found' } } });
  });

  it('keeps calls, their outputs and reasoning in their order, and the tools', async () => {
    const tools = [
      { type: 'function', name: 'look_up', parameters: { type: 'object', properties: {} } },
      { type: 'custom', name: 'patch', description: 'Writes.' },
    ];
    const reasoning = {
      ...{ id: 'rs_e', type: 'reasoning', summary: [] },
      content: [{ type: 'reasoning_text', text: 'hm' }],
    };
    const call = { id: 'fc_e', type: 'function_call', call_id: 'c1', name: 'look_up', arguments: '{"a":1}' };
    const custom = {
      id: 'fc_f',
      type: 'function_call',
      call_id: 'c2',
      name: 'patch',
      arguments: '{"input":"x"}',
    };
    output = [reasoning, call, custom].map((item) => ({ status: 'completed', ...item }));
    const first = await ask({ input: 'go', tools });
    expect(first.response.output.map(({ type }: { type: string }) => type)).toEqual([
      'reasoning',
      'function_call',
      'custom_tool_call',
    ]);
    output = [outputText('done')];
    const outputs = [
      { type: 'function_call_output', call_id: 'c1', output: '1' },
      { type: 'custom_tool_call_output', call_id: 'c2', output: '2' },
    ];
    const second = await ask({ input: outputs, previous_response_id: first.response.id });
    expect(outline(second.sent.input)).toEqual([
      ['user', 'go'],
      ['reasoning'],
      ['function_call', 'look_up', 'c1', '{"a":1}'],
      ['function_call', 'patch', 'c2', '{"input":"x"}'],
      ['function_call_output', 'c1', '1'],
      ['function_call_output', 'c2', '2'],
    ]);
    expect(second.sent.tools.map(({ name }: { name: string }) => name)).toEqual(['look_up', 'patch']);
    expect(second.response.tools).toMatchObject(tools);
    const third = await ask({ input: 'x', tools: [], previous_response_id: second.response.id });
    expect([third.sent.tools, third.response.tools]).toEqual([[], []]);
  });
});

describe('a conversation', () => {
  it('gets the input and the output of each response, and is continued by its id or by an object with it', async () => {
    const items = [said('Answer in verse.', 'developer')];
    const { id } = (await send('POST /v1/conversations', { items })).body;
    const first = await ask({ input: 'one', conversation: id });
    expect(first.response.conversation).toEqual({ id });
    const second = await ask({ input: 'two', conversation: { id } });
    expect(outline(second.sent.input)).toEqual([
      ['developer', 'Answer in verse.'],
      ['user', 'one'],
      answered,
      ['user', 'two'],
    ]);
    const back = await ask({ input: 'other', previous_response_id: first.response.id });
    expect(outline(back.sent.input)).toEqual([
      ['developer', 'Answer in verse.'],
      ['user', 'one'],
      answered,
      ['user', 'other'],
    ]);
    await ask({ input: 'unseen', conversation: id, store: false });
    const { body } = await send(`GET /v1/conversations/${id}/items?order=asc&limit=100`);
    expect(outline(body.data).map(([, text]) => text)).toEqual([
      ...['Answer in verse.', 'one', 'I see.', 'two', 'I see.'],
    ]);
  });

  it('is used by one response at a time', async () => {
    const { id } = (await send('POST /v1/conversations', { items: [said('before')] })).body;
    const items = `/v1/conversations/${id}/items`;
    const [before] = (await send(`GET ${items}`)).body.data;
    const release = holdAnswers();
    const running = ask({ input: 'one', conversation: id });
    await waitFor('the first to be at the engine', () => backend.open === 1);
    const second = await send('POST /v1/responses', { input: 'two', conversation: id });
    const added = await send(`POST ${items}`, { items: [said('meanwhile')] });
    const removed = await send(`DELETE ${items}/${before.id}`);
    for (const locked of [second, added, removed])
      expect(locked).toMatchObject({ status: 400, body: { error: { code: 'conversation_locked' } } });
    const unkept = send('POST /v1/responses', { input: 'two', conversation: id, store: false });
    release();
    await running;
    expect((await unkept).status).toBe(200);
    expect((await send('POST /v1/responses', { input: 'three', conversation: id })).status).toBe(200);
    expect((await send(`POST ${items}`, { items: [said('after')] })).status).toBe(200);
    expect((await send(`DELETE ${items}/${before.id}`)).status).toBe(200);
  });
});

describe('items that a request refers to', () => {
  it('are given to the engine in their places, and stay what they were', async () => {
    const first = await ask({ input: [said('one')] });
    const [{ id }] = first.response.output;
    expect(id).toMatch(/^msg_[0-9a-f]{32}$/);
    const references = [{ id }, { type: 'item_reference', id }];
    const second = await ask({ input: [said('two'), ...references, said('three')] });
    expect(outline(second.sent.input)).toEqual([['user', 'two'], answered, answered, ['user', 'three']]);
    const { body } = await send(`GET /v1/responses/${second.response.id}/input_items?order=asc`);
    expect(body.data.map((item: { id: string }) => item.id)).toEqual([
      expect.any(String),
      id,
      id,
      expect.any(String),
    ]);
    const unknown = await send('POST /v1/responses', { input: [said('x'), { id: 'msg_0' }] });
    expect(unknown).toMatchObject({
      status: 400,
      body: { error: { code: 'item_not_found', param: 'input[1]' } },
    });
  });
});

describe('a response whose past is deleted while it is generated', () => {
  it.each([
    ['response', 'previous_response_not_found', 400],
    ['conversation', 'conversation_not_found', 404],
  ])('cannot be stored, and its client gets an error: %s', async (what, code, status) => {
    const past =
      what === 'response'
        ? (await ask({ input: 'one' })).response
        : (await send('POST /v1/conversations', {})).body;
    const release = holdAnswers();
    const field = what === 'response' ? 'previous_response_id' : 'conversation';
    const running = send('POST /v1/responses', { input: 'two', [field]: past.id });
    await waitFor('it to be at the engine', () => backend.open === 1);
    expect((await send(`DELETE /v1/${what}s/${past.id}`)).body.deleted).toBe(true);
    release();
    expect(await running).toMatchObject({ status, body: { error: { code } } });
  });
});

it('the tokens of a request are counted with all that it continues', async () => {
  const { response } = await ask({ input: 'one' });
  const fields = { input: 'two', previous_response_id: response.id };
  const { status } = await send('POST /v1/responses/input_tokens', fields);
  expect(status).toBe(200);
  const counted = JSON.parse(backend.received.at(-1)?.body ?? '');
  expect(outline(counted.input)).toEqual([['user', 'one'], answered, ['user', 'two']]);
  const later = await ask({ input: 'three', previous_response_id: response.id });
  expect(outline(later.sent.input).flat()).not.toContain('two');
});

it('an error names the place in what the client sent', async () => {
  const { response } = await ask({ input: [said('one'), said('two'), said('three')] });
  const fields = {
    previous_response_id: response.id,
    input: [said('x'), { role: 'bystander', content: 'y' }],
  };
  const { status, body } = await send('POST /v1/responses', fields);
  expect([status, body.error.param]).toEqual([400, 'input[1].role']);
});

it.each([{}, { input: null }])(
  'what says nothing and continues nothing is not kept for later: %j',
  async (input) => {
    const { response } = await ask({ input: 'one' });
    const fields = { model: 'demo', background: true, ...input };
    const { status, body } = await send('POST /v1/responses', fields);
    expect([status, body.error?.param]).toEqual([400, 'input']);
    const next = await send('POST /v1/responses', { ...fields, previous_response_id: response.id });
    expect([next.status, next.body.status]).toEqual([200, 'queued']);
  },
);
