import OpenAI from 'openai';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { storyText } from '../../../cli/demo-model/stories.ts';
import { recordTraffic } from '../../harness/record-traffic.ts';
import { type BatchDeployment, defaultKeys, startBatchRunner } from '../../harness/start-batch-runner.ts';
import { waitFor } from '../../harness/wait-for.ts';

let product: BatchDeployment;
let openai: OpenAI;
const wire = recordTraffic();
beforeAll(async () => {
  product = await startBatchRunner();
  const baseURL = `http://127.0.0.1:${product.deployment.gatewayPort}/v1`;
  openai = new OpenAI({ baseURL, apiKey: defaultKeys.app.secret, maxRetries: 0, fetch: wire.fetch });
});
afterAll(() => product[Symbol.asyncDispose]());

const demo = { model: 'demo', temperature: 0 };
const [keys, emoji, thinking] = [storyText('keys'), storyText('emoji'), storyText('thinking')];

it('a conversation by ids of responses: create, retrieve, stream, list the input, delete', async () => {
  const first = await openai.responses.create({ ...demo, input: 'think' });
  expect(first.output_text).toBe(thinking);
  const second = await openai.responses
    .stream({ ...demo, input: 'emoji', previous_response_id: first.id })
    .finalResponse();
  expect(second).toMatchObject({ output_text: emoji, previous_response_id: first.id });
  const retrieved = await openai.responses.retrieve(second.id);
  expect([retrieved.id, retrieved.output_text]).toEqual([second.id, emoji]);
  expect(retrieved.output).toEqual(
    second.output.map(({ ...item }) => expect.objectContaining({ id: item.id })),
  );

  const third = await openai.responses.create({
    ...demo,
    previous_response_id: second.id,
    input: Array.from({ length: 25 }, (_, n) => ({ role: 'user' as const, content: `${n}: keys` })),
  });
  const listed = await Array.fromAsync(
    openai.responses.inputItems.list(third.id, { order: 'asc', limit: 10 }),
  );
  const texts = listed.map((item) => JSON.stringify(item));
  for (const [n, text] of texts.slice(-25).entries()) expect(text).toContain(`"${n}: keys"`);
  const newest = await openai.responses.inputItems.list(third.id, { limit: 1 });
  expect(newest.data).toEqual([listed.at(-1)]);

  await openai.responses.delete(second.id);
  await expect(openai.responses.retrieve(second.id)).rejects.toBeInstanceOf(OpenAI.NotFoundError);
  const refused = openai.responses.create({ ...demo, input: 'keys', previous_response_id: second.id });
  await expect(refused).rejects.toMatchObject({
    ...{ status: 400, code: 'previous_response_not_found', param: 'previous_response_id' },
    message: expect.stringContaining(`Previous response with id '${second.id}' not found.`),
  });
  const fourth = await openai.responses.create({ ...demo, input: 'keys', previous_response_id: third.id });
  expect(fourth.output_text).toBe(keys);
});

it('a reference to an item stands for the item', async () => {
  const { id, output } = await openai.responses.create({ ...demo, input: 'think' });
  const references = output.map((item) => ({ type: 'item_reference' as const, id: item.id ?? '' }));
  const input = [...references, { role: 'user' as const, content: 'emoji' }];
  const referred = await openai.responses.create({ ...demo, input });
  const inFull = await openai.responses.create({
    ...demo,
    input: [...output, { role: 'user', content: 'emoji' }] as OpenAI.Responses.ResponseInput,
  });
  expect(referred.output_text).toBe(emoji);
  expect(referred.usage?.input_tokens).toBe(inFull.usage?.input_tokens);
  await openai.responses.delete(id);
  const unknown = { type: 'item_reference' as const, id: `msg_${'0'.repeat(32)}` };
  const refused = openai.responses.create({ ...demo, input: [{ role: 'user', content: 'keys' }, unknown] });
  await expect(refused).rejects.toMatchObject({ status: 400, param: 'input[1]' });
});

it('a background response is polled', async () => {
  const created = await openai.responses.create({ ...demo, input: 'keys', background: true });
  expect(created).toMatchObject({ status: 'queued', background: true, output: [] });
  const response = await waitFor('its end', async () => {
    const now = await openai.responses.retrieve(created.id);
    return now.status === 'queued' || now.status === 'in_progress' ? undefined : now;
  });
  expect(response).toMatchObject({ status: 'completed', output_text: keys, error: null });
  expect(response.completed_at).toBeGreaterThanOrEqual(response.created_at);
  expect(response.usage?.output_tokens).toBeGreaterThan(20);
});

it('a background response is streamed, left, and streamed again from where it was left', async () => {
  const stream = await openai.responses.create({
    ...{ ...demo, input: 'tell me a long story', max_output_tokens: 600, background: true, stream: true },
  });
  let [id, last, text] = ['', -1, ''];
  for await (const event of stream) {
    expect(event.sequence_number).toBe(last + 1);
    last = event.sequence_number;
    if (event.type === 'response.created') id = event.response.id;
    if (event.type === 'response.output_text.delta') text += event.delta;
    if (text.length > 200) break;
  }
  const rest = await openai.responses.retrieve(id, { stream: true, starting_after: last });
  for await (const event of rest) {
    expect(event.sequence_number).toBe(last + 1);
    last = event.sequence_number;
    if (event.type === 'response.output_text.delta') text += event.delta;
    if (event.type !== 'response.incomplete') continue;
    expect(event.response.output_text ?? event.response.output).toBeDefined();
  }
  const { status, output_text: whole } = await openai.responses.retrieve(id);
  expect([status, whole]).toEqual(['incomplete', text]);
  expect(storyText('long story').startsWith(text)).toBe(true);
});

it('a background response is cancelled', async () => {
  const { id } = await openai.responses.create({ ...demo, input: 'tell me a long story', background: true });
  expect((await openai.responses.cancel(id)).status).toBe('cancelled');
  expect((await openai.responses.cancel(id)).status).toBe('cancelled');
  expect((await openai.responses.retrieve(id)).status).toBe('cancelled');
  const synchronous = await openai.responses.create({ ...demo, input: 'keys' });
  await expect(openai.responses.cancel(synchronous.id)).rejects.toThrow(
    'Cannot cancel a synchronous response.',
  );
});

it('responses in a conversation continue it, and put their items into it', async () => {
  const { id } = await openai.conversations.create({
    items: [{ type: 'message', role: 'user', content: 'My name is Alice.' }],
  });
  const first = await openai.responses.create({ ...demo, input: 'think', conversation: id });
  expect(first).toMatchObject({ output_text: thinking, conversation: { id } });
  const second = await openai.responses
    .stream({ ...demo, input: 'emoji', conversation: { id } })
    .finalResponse();
  expect(second.usage?.input_tokens).toBeGreaterThan(first.usage?.total_tokens ?? Number.NaN);
  const background = await openai.responses.create({
    ...demo,
    input: 'keys',
    conversation: id,
    background: true,
  });
  await waitFor(
    'its end',
    async () => (await openai.responses.retrieve(background.id)).status === 'completed',
  );
  const items = await Array.fromAsync(openai.conversations.items.list(id, { order: 'asc', limit: 2 }));
  expect(items.map((item) => ('role' in item ? item.role : item.type))).toEqual([
    ...['user', 'user', 'reasoning', 'assistant', 'user', 'assistant', 'user', 'assistant'],
  ]);
  expect(JSON.stringify(items.at(-1))).toContain(JSON.stringify(keys));

  await openai.conversations.delete(id);
  const refused = openai.responses.create({ ...demo, input: 'keys', conversation: id });
  await expect(refused).rejects.toMatchObject({ status: 404 });
});

it('everything above matches the strict schemas of the API', () => {
  expect(wire.responses.length).toBeGreaterThan(5);
  expect(wire.violations).toEqual([]);
});
