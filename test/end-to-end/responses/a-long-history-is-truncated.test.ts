import type OpenAI from 'openai';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { storyText } from '../../../cli/demo-model/stories.ts';
import { echo } from '../../fakes/scenarios.ts';
import { startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { responsesClient } from '../../harness/responses-client.ts';
import { type Demo, startDemo } from '../../harness/start-demo.ts';
import { startTestGateway } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { connectOpenAI } from '../gateway/clients/connect-openai.ts';

type Input = OpenAI.Responses.ResponseInputItem;

const context = 512;
/** Tokens that are left for the response. */
const room = 100;

let demo: Demo;
beforeAll(async () => {
  demo = await startDemo({ llama: { slots: 1, context }, env: { STORE: 'on' } });
});
afterAll(() => demo.stop());

const system: Input = { role: 'system', content: 'Be brief.' };
/** One turn with a call. */
const turn = (n: number): Input[] => [
  { role: 'user', content: `question ${n}` },
  { type: 'function_call', call_id: `call_${n}`, name: 'look_up', arguments: '{"q":1}' },
  { type: 'function_call_output', call_id: `call_${n}`, output: `result ${n} `.repeat(4) },
  { role: 'assistant', content: `answer ${n}` },
];
const turns = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, n) => turn(from + n)).flat();
const question: Input = { role: 'user', content: 'keys' };
const historyOf = (length: number) => [system, ...turns(0, length), question];

function create(input: Input[], fields: object = { truncation: 'auto' }) {
  const { openai } = connectOpenAI(demo);
  return openai.responses.create({ model: 'demo', input, max_output_tokens: room, ...fields });
}

async function count(input: Input[]): Promise<number> {
  const { openai } = connectOpenAI(demo);
  return (await openai.responses.inputTokens.count({ model: 'demo', input })).input_tokens ?? 0;
}

/** The inputs that are left of a history when its first turns are dropped. */
const suffixes = (length: number) =>
  Array.from({ length: length + 1 }, (_, from) => [system, ...turns(from, length), question]);

it('whole turns are dropped from the front until the prompt and its response fit', async () => {
  const length = 30;
  expect(await count(historyOf(length))).toBeGreaterThan(context);
  const response = await create(historyOf(length));
  expect(response).toMatchObject({ status: 'completed', truncation: 'auto', output_text: storyText('keys') });
  const used = response.usage?.input_tokens ?? 0;
  const possible = await Promise.all(suffixes(length).map(count));
  const dropped = possible.indexOf(used);
  expect(dropped).toBeGreaterThan(0);
  expect(used).toBeLessThanOrEqual(context - room);
  // With one turn more it would not fit, or just so.
  expect(possible[dropped - 1]).toBeGreaterThan(context - room - context / 8);
});

it('a stream is truncated as well, and a prompt that fits stays whole', async () => {
  const { openai } = connectOpenAI(demo);
  const params = { model: 'demo', max_output_tokens: room, truncation: 'auto' as const };
  const long = await openai.responses.stream({ ...params, input: historyOf(30) }).finalResponse();
  expect(long.output_text).toBe(storyText('keys'));
  const short = await openai.responses.stream({ ...params, input: historyOf(2) }).finalResponse();
  expect(short.usage?.input_tokens).toBe(await count(historyOf(2)));
});

it('a conversation that grows keeps its place in the prompt cache', async () => {
  const short = (n: number): Input[] => [
    { role: 'user', content: `q ${n % 10}` },
    { role: 'assistant', content: 'a' },
  ];
  const growing = Array.from({ length: 200 }, (_, n) => short(n));
  expect(await count(growing.flat())).toBeGreaterThan(context);
  let fromCache = 0;
  for (let length = 190; length < 200; length++) {
    const { usage } = await create([...growing.slice(0, length).flat(), question]);
    const cached = usage?.input_tokens_details.cached_tokens ?? 0;
    if (cached > 0.7 * (usage?.input_tokens ?? 0)) fromCache += 1;
  }
  // All but the first one, and those that pass a step.
  expect(fromCache).toBeGreaterThanOrEqual(5);
});

it.each([{}, { truncation: 'disabled' }, { truncation: null }])(
  'without it a prompt that is too long is rejected: %j',
  async (fields) => {
    const error = await create(historyOf(30), fields).catch((it) => it);
    expect(error).toMatchObject({ status: 400, code: 'context_length_exceeded' });
  },
);

it('of one turn with many calls, the first of these are dropped, and its message stays', async () => {
  const calls = turns(0, 30).filter((item) => !('role' in item));
  const input = [system, question, ...calls];
  expect(await count(input)).toBeGreaterThan(context);
  const { status, usage } = await create(input);
  const possible = Array.from({ length: 30 }, (_, n) => [system, question, ...calls.slice(2 * n)]);
  expect(await Promise.all(possible.map(count))).toContain(usage?.input_tokens);
  expect([status, (usage?.input_tokens ?? context) <= context - room]).toEqual(['completed', true]);
});

it('a last turn that does not fit by itself is rejected, and so is a text', async () => {
  const long = 'many words '.repeat(400);
  for (const input of [[...turns(0, 3), { role: 'user' as const, content: long }], long]) {
    const error = await create(input as Input[]).catch((it) => it);
    expect(error).toMatchObject({ status: 400, code: 'context_length_exceeded' });
  }
});

it('a value that does not exist is rejected', async () => {
  const error = await create(historyOf(1), { truncation: 'sometimes' }).catch((it) => it);
  expect(error).toMatchObject({ status: 400, param: 'truncation' });
});

it('a stored history is truncated as well, and stays stored', async () => {
  let previous: OpenAI.Responses.Response | undefined;
  let isTruncated = false;
  for (let n = 0; n < 12; n++) {
    const state: object = previous ? { previous_response_id: previous.id } : {};
    const before: number = previous?.usage?.total_tokens ?? 0;
    previous = await create([question], { truncation: 'auto', ...state });
    expect(previous).toMatchObject({ status: 'completed', output_text: storyText('keys') });
    const used = previous.usage?.input_tokens ?? 0;
    expect(used).toBeLessThanOrEqual(context - room);
    isTruncated ||= used < before;
  }
  expect(isTruncated).toBe(true);
  const raw = responsesClient(demo.corral.origin, demo.apiKey);
  const { body } = await raw.send(`GET /v1/responses/${previous?.id}/input_items?limit=100`);
  expect(body.data).toHaveLength(23);
  const error = await create([question], { previous_response_id: previous?.id }).catch((it) => it);
  expect(error).toMatchObject({ status: 400, code: 'context_length_exceeded' });
});

it('a request that waits for the model to load is truncated when its context is known', async () => {
  // A hundred tokens for each item.
  const countTokens = (body: string) => JSON.parse(body).input.length * 100;
  await using fake = await startFakeBackend(echo, { countTokens });
  fake.health = 503;
  await using corral = await startTestGateway({ backend: fake.backend, untilReady: false });
  const { gateway, origin, secret } = corral;
  await waitFor('the gateway to report it as loading', () => gateway.monitor.status === 'loading');
  const pending = fetch(`${origin}/v1/responses`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
    body: JSON.stringify({ input: historyOf(30), truncation: 'auto', max_output_tokens: 9 }),
  });
  await waitFor('it to be queued', () => gateway.scheduler.counts.waiting === 1);
  fake.health = 200;
  expect((await pending).status).toBe(200);
  const sent: Input[] = JSON.parse(fake.received.at(-1)?.body ?? '').input;
  // The context has 4096 tokens, so 40 items fit: a few less are left, in whole turns.
  expect(sent.length).toBeGreaterThan(30);
  expect(sent.length).toBeLessThan(41);
  expect(sent).toMatchObject([system, ...historyOf(30).slice(1 - sent.length)]);
  expect(sent[1]).toMatchObject({ role: 'user' });
});
