import { ChatOpenAI } from '@langchain/openai';
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

function connect(apiKey = demo.apiKey): ChatOpenAI {
  const wire = recordTraffic();
  onTestFinished(() => expect(wire.violations).toEqual([]));
  const configuration = { baseURL: demo.baseURL, fetch: wire.fetch };
  return new ChatOpenAI({ model: 'demo', apiKey, configuration, maxRetries: 0, maxTokens: 500 });
}

it('LangChain invokes a model', async () => {
  const message = await connect().invoke('keys');
  expect(message.content).toBe(storyText('keys'));
  expect(message.response_metadata).toMatchObject({
    finish_reason: 'stop',
    usage: { completion_tokens: expect.any(Number) },
  });
});

it('LangChain streams', async () => {
  let text = '';
  for await (const chunk of await connect().stream('emoji')) {
    text += chunk.content;
  }
  expect(text).toBe(storyText('emoji'));
});

it('LangChain gets an object that matches a schema', async () => {
  const horse = z.strictObject({ name: z.enum(['Ajax', 'Bella']), isTame: z.boolean() });
  const structured = connect().withStructuredOutput(horse, { name: 'horse', method: 'jsonSchema' });
  const message = await structured.invoke('Describe a horse');
  expect(horse.parse(message)).toEqual(message);
});

it('LangChain calls a tool', async () => {
  const weather = {
    type: 'function',
    function: {
      name: 'weather_in',
      description: 'Tells the weather',
      parameters: {
        type: 'object',
        properties: { city: { type: 'string', enum: ['Bergen', 'Oslo'] } },
        required: ['city'],
        additionalProperties: false,
      },
    },
  };
  const message = await connect()
    .bindTools([weather], { tool_choice: 'required' })
    .invoke('What is the weather like?');
  const args = { city: expect.stringMatching(/^(Bergen|Oslo)$/) };
  expect(message.tool_calls).toMatchObject([{ name: 'weather_in', args }]);
});

it('LangChain gets a function call, and the tool that it chose', async () => {
  const horse = z.strictObject({ name: z.enum(['Ajax', 'Bella']), isTame: z.boolean() });
  const structured = connect().withStructuredOutput(horse, { name: 'horse', method: 'functionCalling' });
  expect(horse.parse(await structured.invoke('Describe a horse'))).toBeDefined();
  const tools = ['first', 'second'].map((name) => ({
    type: 'function',
    function: { name, description: 'd', parameters: { type: 'object', properties: {} } },
  }));
  const message = await connect().bindTools(tools, { tool_choice: 'second' }).invoke('keys');
  expect(message.tool_calls).toMatchObject([{ name: 'second' }]);
});

it('LangChain understands an error', async () => {
  const error = await connect('sk-nobody')
    .invoke('keys')
    .catch((it) => it);
  expect(error).toMatchObject({ status: 401, code: 'invalid_api_key' });
});
