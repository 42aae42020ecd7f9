import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { storyText } from '../../../cli/demo-model/stories.ts';
import type { StreamEvent } from '../../../sse/sse.ts';
import { deltasOf, type ResponsesClient, responsesClient, textOf } from '../../harness/responses-client.ts';
import { type Demo, startDemo } from '../../harness/start-demo.ts';

/*
 * The cases of the compliance test of Open Responses (openresponses.org), in our own words. Those about compaction and
 * WebSocket are missing, as both are; so is the one about images, which no demo model sees.
 */
let demo: Demo;
let client: ResponsesClient;
beforeAll(async () => {
  demo = await startDemo({ env: { STORE: 'on' } });
  client = responsesClient(demo.corral.origin, demo.apiKey);
});
afterAll(() => demo.stop());

/** The fields that Open Responses requires of every response. */
const responseResource = z.looseObject({
  id: z.string(),
  object: z.literal('response'),
  created_at: z.int(),
  completed_at: z.int().nullable(),
  status: z.string(),
  incomplete_details: z.looseObject({ reason: z.string() }).nullable(),
  model: z.string(),
  previous_response_id: z.string().nullable(),
  instructions: z.string().nullable(),
  output: z.array(z.looseObject({ type: z.string(), id: z.string() })),
  error: z.looseObject({ code: z.string(), message: z.string() }).nullable(),
  tools: z.array(z.looseObject({ type: z.string() })),
  tool_choice: z.union([z.string(), z.looseObject({ type: z.string() })]),
  truncation: z.enum(['auto', 'disabled']),
  parallel_tool_calls: z.boolean(),
  text: z.looseObject({ format: z.looseObject({ type: z.string() }) }),
  top_p: z.number(),
  presence_penalty: z.number(),
  frequency_penalty: z.number(),
  top_logprobs: z.int(),
  temperature: z.number(),
  reasoning: z.looseObject({ effort: z.string().nullable(), summary: z.string().nullable() }).nullable(),
  usage: z
    .looseObject({
      input_tokens: z.int(),
      output_tokens: z.int(),
      total_tokens: z.int(),
      input_tokens_details: z.looseObject({ cached_tokens: z.int() }),
      output_tokens_details: z.looseObject({ reasoning_tokens: z.int() }),
    })
    .nullable(),
  max_output_tokens: z.int().nullable(),
  max_tool_calls: z.int().nullable(),
  store: z.boolean(),
  background: z.boolean(),
  service_tier: z.string(),
  metadata: z.record(z.string(), z.string()),
  safety_identifier: z.string().nullable(),
  prompt_cache_key: z.string().nullable(),
});

const message = (role: string, content: string, more: object = {}) => ({
  type: 'message',
  role,
  content,
  ...more,
});
const weather = {
  tools: [
    {
      type: 'function',
      name: 'get_weather',
      description: 'Tells the weather of a city',
      parameters: {
        type: 'object',
        properties: { city: { type: 'string', enum: ['Bergen', 'Oslo'] } },
        required: ['city'],
        additionalProperties: false,
      },
    },
  ],
  tool_choice: 'required',
  max_output_tokens: 200,
};
const keys = storyText('keys');

/** The request, and the types and the text of the output. */
const cases: readonly (readonly [string, object, readonly string[], string])[] = [
  ['a message', { input: [message('user', 'Tell me about keys.')] }, ['message'], keys],
  ['a text', { input: 'Tell me about keys.' }, ['message'], keys],
  [
    'a system message',
    { input: [message('system', 'You are a pirate.'), message('user', 'Tell me about keys.')] },
    ['message'],
    keys,
  ],
  [
    'a developer message and instructions',
    {
      instructions: 'Be kind.',
      input: [message('developer', 'You are a pirate.'), message('user', 'Tell me about keys.')],
    },
    ['message'],
    keys,
  ],
  [
    'several turns',
    {
      input: [
        message('user', 'My name is Alice.'),
        message('assistant', 'Hello Alice! How can I help you?'),
        message('user', 'Tell me about keys.'),
      ],
    },
    ['message'],
    keys,
  ],
  [
    'phases of an assistant',
    {
      input: [
        message('user', 'Hello!'),
        message('assistant', 'I look it up.', { phase: 'commentary' }),
        message('assistant', 'There it is.', { phase: 'final_answer' }),
        message('user', 'Tell me about keys.'),
      ],
    },
    ['message'],
    keys,
  ],
  ['reasoning', { input: 'think' }, ['reasoning', 'message'], storyText('thinking')],
  [
    'a tool',
    { input: 'What is the weather like?', ...weather },
    ['message', 'function_call'],
    storyText('welcome'),
  ],
];

it.each(cases)('%s', async (_, fields, types, text) => {
  const response = responseResource.parse(await client.create(fields));
  expect(response).toMatchObject({ status: 'completed', error: null, store: true, background: false });
  expect(response.output.map(({ type }) => type)).toEqual(types);
  expect(textOf(response as never)).toBe(text);
  expect(responseResource.parse((await client.send(`GET /v1/responses/${response.id}`)).body)).toEqual(
    response,
  );
});

it.each(cases)('%s, streamed', async (_, fields, types, text) => {
  await using stream = await client.stream(fields);
  const events = await stream.ended;
  expect(events.map(({ sequence_number: number }) => number)).toEqual(events.map((_, place) => place));
  const objects = events.flatMap(({ response }) => (response ? [responseResource.parse(response)] : []));
  expect(objects.map(({ status }) => status)).toEqual(['in_progress', 'in_progress', 'completed']);
  expect(new Set(objects.map(({ id }) => id)).size).toBe(1);
  const response = objects.at(-1);
  expect(response?.output.map(({ type }) => type)).toEqual(types);
  expect(deltasOf(events)).toBe(text);
  expectFramed(events, types);
  expect((await client.send(`GET /v1/responses/${response?.id}`)).body).toEqual(response);
});

/** Each item is added, gets its content, and is done, one after the other, with one id. */
function expectFramed(events: readonly StreamEvent[], types: readonly string[]) {
  expect(events.slice(0, 2).map(({ type }) => type)).toEqual(['response.created', 'response.in_progress']);
  for (const [index, type] of types.entries()) {
    const own = events.filter(({ output_index: place }) => place === index);
    const added = own[0] as { item: { id: string; type: string } };
    const done = own.at(-1) as { item: { id: string; type: string } };
    expect([own[0]?.type, own.at(-1)?.type]).toEqual([
      'response.output_item.added',
      'response.output_item.done',
    ]);
    expect([added.item.type, done.item.type]).toEqual([type, type]);
    const ids = own.map(({ item_id: id, item }) => id ?? (item as { id: string }).id);
    expect(new Set(ids)).toEqual(new Set([added.item.id]));
    const parts = {
      message: 'output_text',
      reasoning: 'reasoning_text',
      function_call: 'function_call_arguments',
    }[type];
    const kinds = own.map(({ type: kind }) => kind);
    expect(kinds).toContain(`response.${parts}.delta`);
    expect(kinds).toContain(`response.${parts}.done`);
  }
}
