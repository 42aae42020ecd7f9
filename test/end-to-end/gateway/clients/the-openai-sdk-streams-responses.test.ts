import { zodTextFormat } from 'openai/helpers/zod';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { storyText, storyThought } from '../../../../cli/demo-model/stories.ts';
import { type Demo, startDemo } from '../../../harness/start-demo.ts';
import { connectOpenAI } from './connect-openai.ts';

let demo: Demo;
beforeAll(async () => {
  demo = await startDemo();
});
afterAll(() => demo.stop());

it('the OpenAI SDK accumulates a text from numbered events', async () => {
  const { openai } = connectOpenAI(demo);
  const stream = openai.responses.stream({ model: 'demo', input: 'keys' });
  const numbers: number[] = [];
  let snapshot = '';
  stream.on('event', (event) => void numbers.push(event.sequence_number));
  stream.on('response.output_text.delta', (event) => {
    snapshot = event.snapshot;
  });
  const response = await stream.finalResponse();
  expect(response).toMatchObject({ status: 'completed', model: 'demo', output_text: storyText('keys') });
  expect(snapshot).toBe(storyText('keys'));
  expect(numbers.length).toBeGreaterThan(20);
  expect(numbers).toEqual(numbers.map((_, place) => place));
});

it('the OpenAI SDK accumulates reasoning before a text', async () => {
  const { openai, wire } = connectOpenAI(demo);
  const stream = openai.responses.stream({ model: 'demo', input: 'thinking' });
  let reasoning = '';
  for await (const event of stream)
    if (event.type === 'response.reasoning_text.delta') reasoning += event.delta;
  const response = await stream.finalResponse();
  expect(reasoning).toBe(storyThought('thinking'));
  expect(response.output).toMatchObject([
    { type: 'reasoning', content: [{ type: 'reasoning_text', text: storyThought('thinking') }] },
    { type: 'message', content: [{ type: 'output_text', text: storyText('thinking') }] },
  ]);
  expect(wire.events).toContainEqual(
    expect.objectContaining({ type: 'response.reasoning_text.done', text: storyThought('thinking') }),
  );
});

const weather = {
  type: 'function' as const,
  name: 'weather_in',
  description: 'Tells the weather',
  strict: true,
  parameters: {
    type: 'object',
    properties: { city: { type: 'string', enum: ['Bergen', 'Oslo'] } },
    required: ['city'],
    additionalProperties: false,
  },
};

it('the OpenAI SDK accumulates a function call', async () => {
  const { openai } = connectOpenAI(demo);
  const stream = openai.responses.stream({
    model: 'demo',
    input: 'What is the weather like?',
    max_output_tokens: 200,
    tools: [weather],
    tool_choice: 'required',
  });
  const done: string[] = [];
  let snapshot = '';
  stream.on('response.function_call_arguments.delta', (event) => {
    snapshot = event.snapshot;
  });
  stream.on('response.function_call_arguments.done', (event) => void done.push(event.arguments));
  const response = await stream.finalResponse();
  const call = response.output.find((item) => item.type === 'function_call');
  expect(JSON.parse(call?.arguments ?? '')).toEqual({ city: expect.stringMatching(/^(Bergen|Oslo)$/) });
  expect(snapshot).toBe(call?.arguments);
  expect(done).toEqual([call?.arguments]);
  expect(response).toMatchObject({ status: 'completed', tools: [weather], tool_choice: 'required' });
});

it.each([
  ['in a stream', true],
  ['in one piece', false],
])('the OpenAI SDK sees that a response was cut off, %s', async (_, streamed) => {
  const { openai } = connectOpenAI(demo);
  const request = { model: 'demo', input: 'keys', max_output_tokens: 3 };
  const response = streamed
    ? await openai.responses.stream(request).finalResponse()
    : await openai.responses.create(request);
  expect(response).toMatchObject({
    status: 'incomplete',
    incomplete_details: { reason: 'max_output_tokens' },
    max_output_tokens: 3,
    output: [{ type: 'message', status: 'incomplete' }],
  });
  expect(storyText('keys').startsWith(response.output_text)).toBe(true);
});

it('a response repeats fields of its request', async () => {
  const { openai } = connectOpenAI(demo);
  const params = { instructions: 'Be kind.', metadata: { who: 'me' }, temperature: 0.5, top_p: 0.9 };
  const request = {
    ...params,
    parallel_tool_calls: false,
    model: 'any-name',
    input: 'keys',
    max_output_tokens: 9,
  };
  const { created_at, ...plain } = await openai.responses.create(request);
  expect(plain).toMatchObject({ ...params, parallel_tool_calls: false, model: 'demo' });
  expect(Math.abs(created_at * 1000 - Date.now())).toBeLessThan(3_600_000);
  for await (const event of openai.responses.stream(request)) {
    if ('response' in event) expect(event.response).toMatchObject({ ...params, model: 'demo' });
  }
});

it('a response is complete although its last event is very long', async () => {
  const { openai } = connectOpenAI(demo);
  const metadata = { note: 'x'.repeat(200_000) };
  const response = await openai.responses.stream({ model: 'demo', input: 'keys', metadata }).finalResponse();
  expect(response.output_text).toBe(storyText('keys'));
});

it('the OpenAI SDK gets a parsed object that matches its schema', async () => {
  const { openai } = connectOpenAI(demo);
  const horse = z.strictObject({ name: z.enum(['Ajax', 'Bella']), isTame: z.boolean() });
  const request = {
    model: 'demo',
    input: 'Describe a horse',
    max_output_tokens: 200,
    text: { format: zodTextFormat(horse, 'horse') },
  };
  const plain = await openai.responses.parse(request);
  const streamed = await openai.responses.stream(request).finalResponse();
  for (const { output_parsed, output_text } of [plain, streamed]) {
    expect(output_parsed).toEqual(horse.parse(JSON.parse(output_text)));
  }
});
