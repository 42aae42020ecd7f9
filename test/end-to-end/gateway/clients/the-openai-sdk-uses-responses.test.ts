import type OpenAI from 'openai';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { storyText, storyThought } from '../../../../cli/demo-model/stories.ts';
import { type Demo, startDemo } from '../../../harness/start-demo.ts';
import { connectOpenAI } from './connect-openai.ts';

let demo: Demo;
beforeAll(async () => {
  demo = await startDemo();
});
afterAll(() => demo.stop());

it('the OpenAI SDK gets a response', async () => {
  const { openai } = connectOpenAI(demo);
  const response = await openai.responses.create({ model: 'demo', input: 'keys' });
  expect(response).toMatchObject({ object: 'response', status: 'completed', model: 'demo' });
  expect(response.output_text).toBe(storyText('keys'));
  expect(response.usage?.output_tokens).toBeGreaterThan(20);
});

it('the OpenAI SDK gets a response event by event', async () => {
  const { openai, wire } = connectOpenAI(demo);
  const stream = await openai.responses.create({ model: 'demo', input: 'keys', stream: true });
  const types: string[] = [];
  let text = '';
  for await (const event of stream) {
    if (types.at(-1) !== event.type) types.push(event.type);
    if (event.type === 'response.output_text.delta') text += event.delta;
    if (event.type === 'response.completed') expect(event.response.usage?.output_tokens).toBeGreaterThan(20);
  }
  expect(text).toBe(storyText('keys'));
  expect(types).toEqual([
    'response.created',
    'response.in_progress',
    'response.output_item.added',
    'response.content_part.added',
    'response.output_text.delta',
    'response.output_text.done',
    'response.content_part.done',
    'response.output_item.done',
    'response.completed',
  ]);
  expect(wire.last.text).not.toContain('[DONE]');
});

it('reasoning is a separate item', async () => {
  const { openai } = connectOpenAI(demo);
  const response = await openai.responses.create({ model: 'demo', input: 'thinking' });
  expect(response.output_text).toBe(storyText('thinking'));
  expect(response.output).toMatchObject([
    { type: 'reasoning', content: [{ type: 'reasoning_text', text: storyThought('thinking') }] },
    { type: 'message' },
  ]);
});

it('reasoning comes before the text in a stream', async () => {
  const { openai } = connectOpenAI(demo);
  const stream = await openai.responses.create({ model: 'demo', input: 'thinking', stream: true });
  let [reasoning, text] = ['', ''];
  for await (const event of stream) {
    if (event.type === 'response.reasoning_text.delta') reasoning += event.delta;
    if (event.type === 'response.output_text.delta') text += event.delta;
  }
  expect({ thought: reasoning, text }).toEqual({
    thought: storyThought('thinking'),
    text: storyText('thinking'),
  });
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
const withTools = {
  model: 'demo',
  input: 'What is the weather like?',
  max_output_tokens: 200,
  tools: [weather],
  tool_choice: 'required' as const,
};

it('the OpenAI SDK gets a function call', async () => {
  const { openai } = connectOpenAI(demo);
  const response = await openai.responses.create(withTools);
  const calls = response.output.filter((item) => item.type === 'function_call');
  expect(calls).toMatchObject([{ name: 'weather_in' }]);
  expect(JSON.parse(calls[0]?.arguments ?? '')).toEqual({ city: expect.stringMatching(/^(Bergen|Oslo)$/) });
});

it('the OpenAI SDK gets a function call in a stream', async () => {
  const { openai } = connectOpenAI(demo);
  let args = '';
  for await (const event of await openai.responses.create({ ...withTools, stream: true })) {
    if (event.type === 'response.function_call_arguments.delta') args += event.delta;
  }
  expect(JSON.parse(args)).toEqual({ city: expect.stringMatching(/^(Bergen|Oslo)$/) });
});

it('the model calls the function that was chosen by name', async () => {
  const { openai } = connectOpenAI(demo);
  const tools = ['first', 'second'].map((name) => ({ ...weather, name }));
  const request = { ...withTools, tools, tool_choice: { type: 'function' as const, name: 'second' } };
  const response = await openai.responses.create(request);
  expect(response.output.filter((item) => item.type === 'function_call')).toMatchObject([{ name: 'second' }]);
  // The client's own choice, not the one that llama-server got.
  expect(response.tools).toHaveLength(2);
  expect(response.tool_choice).toEqual({ type: 'function', name: 'second' });
});

it('the OpenAI SDK gets calls of a custom tool and of a tool in a namespace', async () => {
  const { openai } = connectOpenAI(demo);
  const tools: OpenAI.Responses.Tool[] = [
    { type: 'custom', name: 'say', description: 'Says it' },
    { type: 'namespace', name: 'sky', description: 'The sky', tools: [{ ...weather, strict: true }] },
  ];
  const params = {
    ...withTools,
    tools,
    max_output_tokens: 120,
    tool_choice: { type: 'custom' as const, name: 'say' },
  };
  const complete = await openai.responses.create(params);
  const customCalls = complete.output.filter((item) => item.type === 'custom_tool_call');
  expect(customCalls).toMatchObject([{ name: 'say', input: expect.any(String) }]);
  let input = '';
  let last: OpenAI.Responses.ResponseOutputItem[] = [];
  for await (const event of await openai.responses.create({ ...params, stream: true })) {
    if (event.type === 'response.custom_tool_call_input.delta') input += event.delta;
    if (event.type === 'response.completed' || event.type === 'response.incomplete')
      last = event.response.output;
  }
  expect(last.filter((item) => item.type === 'custom_tool_call')).toMatchObject([{ name: 'say', input }]);
  const sky = await openai.responses.create({ ...withTools, tools: tools.slice(1) });
  const calls = sky.output.filter((item) => item.type === 'function_call');
  expect(calls).toMatchObject([{ namespace: 'sky', name: 'weather_in' }]);
  // The calls are sent back, as agents do.
  const again = await openai.responses.create({
    model: 'demo',
    tools,
    input: [
      { role: 'user', content: 'weather?' },
      ...(calls as OpenAI.Responses.ResponseFunctionToolCall[]),
      { type: 'function_call_output', call_id: calls[0]?.call_id ?? '', output: 'Rain.' },
      { type: 'custom_tool_call', call_id: 'c', name: 'say', input: 'x' },
      { type: 'custom_tool_call_output', call_id: 'c', output: 'y' },
      { role: 'user', content: 'keys' },
    ],
  });
  expect(again.output_text).toBe(storyText('keys'));
});

it("a conversation continues as in OpenAI's guide", async () => {
  const { openai } = connectOpenAI(demo);
  const history: OpenAI.Responses.ResponseInput = [{ role: 'user', content: 'thinking' }];
  const first = await openai.responses.create({ model: 'demo', input: history });
  for (const item of first.output) {
    if (item.type === 'message')
      history.push({ role: item.role, content: item.content } as OpenAI.Responses.ResponseOutputMessage);
    else if (item.type === 'reasoning') history.push(item);
  }
  history.push({ role: 'user', content: 'keys' });
  const second = await openai.responses.create({ model: 'demo', input: history, store: false });
  expect(second.output_text).toBe(storyText('keys'));
  const streamed = await openai.responses.stream({ model: 'demo', input: history }).finalResponse();
  expect(streamed.output_text).toBe(storyText('keys'));
});

it('an error says that responses are not stored', async () => {
  const { openai } = connectOpenAI(demo);
  for (const stored of [
    { previous_response_id: 'resp_1' },
    { conversation: 'conv_1' },
    { background: true },
  ]) {
    const error = await openai.responses
      .create({ model: 'demo', input: 'and?', ...stored })
      .catch((it) => it);
    expect(error).toMatchObject({ status: 400, code: 'store_disabled', param: Object.keys(stored)[0] });
  }
});

it('the OpenAI SDK counts tokens', async () => {
  const { openai } = connectOpenAI(demo);
  const input = { model: 'demo', input: 'keys' };
  const { input_tokens } = await openai.responses.inputTokens.count(input);
  const { usage } = await openai.responses.create({ ...input, max_output_tokens: 1 });
  expect(input_tokens).toBe(usage?.input_tokens);
});
