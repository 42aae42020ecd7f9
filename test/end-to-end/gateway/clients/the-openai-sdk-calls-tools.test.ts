import type OpenAI from 'openai';
import { zodResponseFormat } from 'openai/helpers/zod';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { type Demo, startDemo } from '../../../harness/start-demo.ts';
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

it('the OpenAI SDK gets a tool call', async () => {
  const { openai } = connectOpenAI(demo);
  const { choices } = await openai.chat.completions.create(request);
  expect(choices[0]?.finish_reason).toBe('tool_calls');
  const [call] = choices[0]?.message.tool_calls ?? [];
  expect(call).toMatchObject({ type: 'function', function: { name: 'weather_in' } });
  expect(city.options).toContain(cityOf(call));
});

it('the OpenAI SDK gets a tool call in a stream', async () => {
  const { openai, wire } = connectOpenAI(demo);
  const stream = openai.chat.completions.stream(request);
  const { choices } = await stream.finalChatCompletion();
  expect(choices[0]?.finish_reason).toBe('tool_calls');
  const [call] = choices[0]?.message.tool_calls ?? [];
  expect(call).toMatchObject({ type: 'function', function: { name: 'weather_in' } });
  expect(city.options).toContain(cityOf(call));
  expect(wire.events.length).toBeGreaterThan(2);
});

it('the OpenAI SDK gets a completion after the result of a tool', async () => {
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

const tool = (name: string) => ({ ...request.tools[0], function: { ...request.tools[0]?.function, name } });
const several = {
  ...request,
  tools: ['first', 'second', 'third'].map((name) => tool(name) as (typeof request.tools)[0]),
};
const choices: [string, OpenAI.ChatCompletionToolChoiceOption, string][] = [
  ['by its name', { type: 'function', function: { name: 'second' } }, 'second'],
  [
    'as the only one allowed',
    {
      type: 'allowed_tools',
      allowed_tools: { mode: 'required', tools: [{ type: 'function', function: { name: 'third' } }] },
    },
    'third',
  ],
];

it.each(choices)('the model calls the tool that was chosen %s', async (_, tool_choice, name) => {
  const { openai } = connectOpenAI(demo);
  const body = { ...several, tool_choice };
  const complete = await openai.chat.completions.create(body);
  const streamed = await openai.chat.completions.stream(body).finalChatCompletion();
  for (const { choices } of [complete, streamed]) {
    expect(choices[0]).toMatchObject({
      finish_reason: 'tool_calls',
      message: { tool_calls: [{ type: 'function', function: { name } }] },
    });
    expect(choices[0]?.message.tool_calls).toHaveLength(1);
  }
});

it('choosing a tool that does not exist is an error', async () => {
  const { openai } = connectOpenAI(demo);
  const tool_choice = { type: 'function' as const, function: { name: 'fourth' } };
  const error = await openai.chat.completions.create({ ...several, tool_choice }).catch((it) => it);
  expect(error).toMatchObject({ status: 400, param: 'tool_choice', code: 'invalid_value' });
});

it('the model calls a function of the API before tools', async () => {
  const { openai } = connectOpenAI(demo);
  const { tools: _, tool_choice: __, ...rest } = several;
  const body = {
    ...rest,
    functions: several.tools.map((it) => it.function),
    function_call: { name: 'second' },
  };
  const { choices } = await openai.chat.completions.create(body);
  expect(choices[0]).toMatchObject({
    finish_reason: 'function_call',
    message: { function_call: { name: 'second' } },
  });
  expect(choices[0]?.message.tool_calls).toBeUndefined();
  let [name, args, reason] = ['', '', ''];
  for await (const { choices } of await openai.chat.completions.create({ ...body, stream: true })) {
    const [choice] = choices;
    name += choice?.delta.function_call?.name ?? '';
    args += choice?.delta.function_call?.arguments ?? '';
    reason ||= choice?.finish_reason ?? '';
  }
  expect([name, reason]).toEqual(['second', 'function_call']);
  expect(city.options).toContain(JSON.parse(args).city);
  const again = await openai.chat.completions.create({
    ...body,
    function_call: 'none',
    max_tokens: 5,
    messages: [
      ...request.messages,
      { role: 'assistant', content: null, function_call: { name, arguments: args } },
      { role: 'function', name, content: 'Rain.' },
    ],
  });
  expect(again.choices[0]?.message.content).toMatch(/^\w+/);
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

it('the OpenAI SDK gets JSON that matches its schema', async () => {
  const { openai } = connectOpenAI(demo);
  const { choices } = await openai.chat.completions.parse(aboutAHorse);
  expect(choices[0]?.finish_reason).toBe('stop');
  expect(horse.parse(choices[0]?.message.parsed)).toEqual(JSON.parse(choices[0]?.message.content ?? ''));
});

it('the OpenAI SDK gets JSON that matches its schema in a stream', async () => {
  const { openai } = connectOpenAI(demo);
  const { choices } = await openai.chat.completions.stream(aboutAHorse).finalChatCompletion();
  expect(horse.parse(choices[0]?.message.parsed)).toEqual(JSON.parse(choices[0]?.message.content ?? ''));
});

function cityOf(call: object | undefined): unknown {
  const { function: called } = call as { function: { arguments: string } };
  return JSON.parse(called.arguments).city;
}
