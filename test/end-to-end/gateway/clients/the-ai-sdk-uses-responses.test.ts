import { createOpenAI } from '@ai-sdk/openai';
import { generateText, jsonSchema, Output, streamText, tool } from 'ai';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { storyText } from '../../../../cli/demo-model/stories.ts';
import { recordTraffic } from '../../../harness/record-traffic.ts';
import { type Demo, startDemo } from '../../../harness/start-demo.ts';

let demo: Demo;
beforeAll(async () => {
  demo = await startDemo();
});
afterAll(() => demo.stop());

function connect() {
  const wire = recordTraffic();
  onTestFinished(() => expect(wire.violations).toEqual([]));
  const { baseURL, apiKey } = demo;
  return createOpenAI({ baseURL, apiKey, fetch: wire.fetch }).responses('demo');
}

it('the AI SDK generates a text', async () => {
  const { text, finishReason, usage } = await generateText({ model: connect(), prompt: 'keys' });
  expect(text).toBe(storyText('keys'));
  expect(finishReason).toBe('stop');
  expect(usage.outputTokens).toBeGreaterThan(20);
});

it.each(['emoji', 'thinking'] as const)('the AI SDK streams a text: %s', async (prompt) => {
  const { textStream, finishReason, usage, response } = streamText({ model: connect(), prompt });
  const parts = await Array.fromAsync(textStream);
  expect(parts.length).toBeGreaterThan(20);
  expect(parts.join('')).toBe(storyText(prompt));
  expect(await finishReason).toBe('stop');
  expect((await usage).outputTokens).toBeGreaterThan(20);
  expect(await response).toMatchObject({ id: expect.stringMatching(/^resp_/), modelId: 'demo' });
});

it('the AI SDK sees that a response was cut off', async () => {
  const request = { model: connect(), prompt: 'keys', maxOutputTokens: 3 };
  expect((await generateText(request)).finishReason).toBe('length');
  expect(await streamText(request).finishReason).toBe('length');
});

it('the AI SDK generates an object that matches a schema', async () => {
  const horse = z.strictObject({ name: z.enum(['Ajax', 'Bella']), isTame: z.boolean() });
  const request = { model: connect(), prompt: 'Describe a horse', maxOutputTokens: 200 };
  const streamed = streamText({ ...request, output: Output.object({ schema: horse }) });
  expect(horse.parse(await streamed.output)).toEqual(JSON.parse(await streamed.text));
});

it('the AI SDK calls a tool', async () => {
  const weather = tool({
    description: 'Tells the weather',
    inputSchema: jsonSchema<{ city: string }>({
      type: 'object',
      properties: { city: { type: 'string', enum: ['Bergen', 'Oslo'] } },
      required: ['city'],
      additionalProperties: false,
    }),
    execute: ({ city }) => `Rain in ${city}.`,
  });
  const request = {
    model: connect(),
    prompt: 'What is the weather like?',
    tools: { weather },
    toolChoice: 'required' as const,
    maxOutputTokens: 200,
  };
  const output = expect.stringMatching(/^Rain in (Bergen|Oslo)\.$/);
  expect((await generateText(request)).toolResults).toMatchObject([{ output }]);
  expect(await streamText(request).toolResults).toMatchObject([{ output }]);
});

it('the AI SDK continues a conversation after reasoning and after a tool call', async () => {
  const sayTool = tool({
    description: 'Says it',
    inputSchema: jsonSchema<{ word: string }>({
      type: 'object',
      properties: { word: { type: 'string', enum: ['keys'] } },
      required: ['word'],
      additionalProperties: false,
    }),
    execute: ({ word }) => word,
  });
  const model = connect();
  // By default the SDK only refers to what OpenAI has stored.
  const providerOptions = { openai: { store: false } };
  const first = await generateText({ model, prompt: 'thinking', providerOptions });
  const conversation = [{ role: 'user' as const, content: 'thinking' }, ...first.response.messages];
  const messages = [...conversation, { role: 'user' as const, content: 'emoji' }];
  expect((await generateText({ model, messages, providerOptions })).text).toBe(storyText('emoji'));
  expect(await streamText({ model, messages, providerOptions }).text).toBe(storyText('emoji'));
  const called = await generateText({
    model,
    prompt: 'keys',
    tools: { other: sayTool, say: sayTool },
    toolChoice: { type: 'tool', toolName: 'say' },
    maxOutputTokens: 500,
    providerOptions,
  });
  expect(called.toolResults).toMatchObject([{ toolName: 'say', output: 'keys' }]);
  const after = await generateText({
    model,
    messages: [
      { role: 'user', content: 'keys' },
      ...called.response.messages,
      { role: 'user', content: 'emoji' },
    ],
    providerOptions,
  });
  expect(after.text).toBe(storyText('emoji'));
});
