import { zodResponseFormat } from 'openai/helpers/zod';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { type Demo, startDemo } from '../../../scripts/harness/start-demo.ts';
import { connectOpenAI } from './connect-openai.ts';

let demo: Demo;
beforeAll(async () => {
  demo = await startDemo();
});
afterAll(() => demo.stop());

const city = z.enum(['Bergen', 'Oslo']);
const request = {
  model: 'demo',
  max_tokens: 200,
  messages: [{ role: 'user' as const, content: 'What is the weather like?' }],
  tool_choice: 'required' as const,
  tools: [
    {
      type: 'function' as const,
      function: {
        name: 'weather_in',
        description: 'Tells the weather',
        parameters: {
          type: 'object',
          properties: { city: { type: 'string', enum: city.options } },
          required: ['city'],
          additionalProperties: false,
        },
      },
    },
  ],
};

it('is given a tool call', async () => {
  const { openai } = connectOpenAI(demo);
  const { choices } = await openai.chat.completions.create(request);
  expect(choices[0]?.finish_reason).toBe('tool_calls');
  const [call] = choices[0]?.message.tool_calls ?? [];
  expect(call).toMatchObject({ type: 'function', function: { name: 'weather_in' } });
  expect(city.options).toContain(cityOf(call));
});

it('is given a tool call in a stream', async () => {
  const { openai, wire } = connectOpenAI(demo);
  const stream = openai.chat.completions.stream(request);
  const { choices } = await stream.finalChatCompletion();
  expect(choices[0]?.finish_reason).toBe('tool_calls');
  const [call] = choices[0]?.message.tool_calls ?? [];
  expect(call).toMatchObject({ type: 'function', function: { name: 'weather_in' } });
  expect(city.options).toContain(cityOf(call));
  expect(wire.events.length).toBeGreaterThan(2);
});

it('is answered when it returns with the result of a tool', async () => {
  const { openai } = connectOpenAI(demo);
  const first = await openai.chat.completions.create(request);
  const [message] = first.choices.map((choice) => choice.message);
  const { tool_choice: _, ...again } = request;
  const { choices } = await openai.chat.completions.create({
    ...again,
    max_tokens: 5,
    tool_choice: 'none',
    messages: [
      ...request.messages,
      ...(message ? [message] : []),
      { role: 'tool', tool_call_id: message?.tool_calls?.[0]?.id ?? '', content: 'Rain.' },
    ],
  });
  expect(choices[0]?.message.content).toMatch(/^\w+/);
});

const horse = z.strictObject({
  name: z.enum(['Ajax', 'Bella']),
  gates: z.int().min(0).max(9),
  isTame: z.boolean(),
});
const aboutAHorse = {
  model: 'demo',
  max_tokens: 200,
  messages: [{ role: 'user' as const, content: 'Describe a horse' }],
  response_format: zodResponseFormat(horse, 'horse'),
};

it('is given JSON of the schema it asks for', async () => {
  const { openai } = connectOpenAI(demo);
  const { choices } = await openai.chat.completions.parse(aboutAHorse);
  expect(choices[0]?.finish_reason).toBe('stop');
  expect(horse.parse(choices[0]?.message.parsed)).toEqual(JSON.parse(choices[0]?.message.content ?? ''));
});

it('is given JSON of the schema it asks for in a stream', async () => {
  const { openai } = connectOpenAI(demo);
  const { choices } = await openai.chat.completions.stream(aboutAHorse).finalChatCompletion();
  expect(horse.parse(choices[0]?.message.parsed)).toEqual(JSON.parse(choices[0]?.message.content ?? ''));
});

function cityOf(call: object | undefined): unknown {
  const { function: called } = call as { function: { arguments: string } };
  return JSON.parse(called.arguments).city;
}
