import type OpenAI from 'openai';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { storyText } from '../../../cli/demo-model/stories.ts';
import { echo } from '../../fakes/scenarios.ts';
import { startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { responsesClient } from '../../harness/responses-client.ts';
import { type Demo, startDemo } from '../../harness/start-demo.ts';
import { startTestGateway } from '../../harness/start-gateway.ts';
import { connectOpenAI } from '../gateway/clients/connect-openai.ts';

type Input = OpenAI.Responses.ResponseInputItem;

let demo: Demo;
beforeAll(async () => {
  demo = await startDemo({ env: { STORE: 'on' } });
});
afterAll(() => demo.stop());

const question: Input = { role: 'user', content: 'keys' };
const assistant = { role: 'assistant', content: [{ type: 'output_text', text: 'Hello!' }] } as unknown;

/** Items of a history as clients have sent them, and the tools of which the response says that they were left out. */
const histories: readonly (readonly [string, readonly unknown[], string | null])[] = [
  ['an assistant message without its type', [assistant], null],
  [
    'reasoning that is encrypted',
    [{ type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'gA', content: null }],
    null,
  ],
  [
    'reasoning as a summary',
    [{ type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: 'Hm.' }] }],
    null,
  ],
  [
    'a message with a phase',
    [{ type: 'message', role: 'assistant', phase: 'commentary', content: 'I look.' }],
    null,
  ],
  [
    'a web search',
    [
      { type: 'web_search_call', id: 'ws_1', status: 'completed', action: { type: 'search', query: 'q' } },
      assistant,
    ],
    'web_search_call',
  ],
  [
    'a call of an MCP server',
    [
      { type: 'mcp_list_tools', id: 'mcpl_1', server_label: 'a', tools: [] },
      { type: 'mcp_call', id: 'mcp_1', server_label: 'a', name: 'read', arguments: '{}', output: 'text' },
    ],
    'mcp_list_tools',
  ],
  [
    'a code interpreter',
    [{ type: 'code_interpreter_call', id: 'ci_1', container_id: 'c', code: '1', outputs: null }],
    null,
  ],
  [
    'a call with its output',
    [
      {
        type: 'function_call',
        id: 'fc_1',
        call_id: 'call_1',
        name: 'f',
        arguments: '{}',
        status: 'completed',
      },
      { type: 'function_call_output', call_id: 'call_1', output: [{ type: 'input_text', text: 'x' }] },
    ],
    null,
  ],
];

it.each(histories)('%s in a history', async (_, items, dropped) => {
  const { openai } = connectOpenAI(demo);
  const input = [{ role: 'user', content: 'Hi!' }, ...items, question] as Input[];
  const { data, response } = await openai.responses
    .create({ model: 'demo', input, store: false })
    .withResponse();
  expect(data).toMatchObject({ status: 'completed', output_text: storyText('keys') });
  expect(response.headers.get('x-corral-dropped-tools')).toBe(dropped);
});

it('fields about the response are repeated, in JSON and in every event', async () => {
  const { openai } = connectOpenAI(demo);
  const fields = {
    include: [
      'reasoning.encrypted_content',
      'web_search_call.action.sources',
    ] as OpenAI.Responses.ResponseIncludable[],
    max_tool_calls: 3,
    prompt_cache_key: 'session-1',
    safety_identifier: 'person-1',
    text: { verbosity: 'low' as const },
    reasoning: { effort: 'low' as const },
    metadata: { a: 'b' },
  };
  const { include: _, text, reasoning, ...plain } = fields;
  const expected = {
    ...plain,
    text: { ...text, format: { type: 'text' } },
    reasoning: { ...reasoning, summary: null },
    // What this engine does where the request says nothing.
    ...{ temperature: 0.8, top_p: 0.95, presence_penalty: 0, frequency_penalty: 0 },
    ...{ service_tier: 'default', truncation: 'disabled', top_logprobs: 0, background: false },
    ...{ previous_response_id: null, store: true },
  };
  const request = { model: 'demo', input: [question], ...fields };
  const complete = await openai.responses.create(request);
  expect(complete).toMatchObject({ ...expected, status: 'completed' });
  expect(complete.completed_at).toBeGreaterThanOrEqual(complete.created_at);
  const stream = await openai.responses.create({ ...request, stream: true });
  const seen: string[] = [];
  for await (const event of stream) {
    if (!('response' in event)) continue;
    seen.push(event.type);
    const isDone = event.type === 'response.completed';
    const usage = isDone ? { input_tokens_details: { cache_write_tokens: 0 } } : null;
    expect(event.response).toMatchObject({ ...expected, usage });
    expect(event.response.completed_at === null).toBe(!isDone);
  }
  expect(seen).toEqual(['response.created', 'response.in_progress', 'response.completed']);
});

it('tokens are counted with the history that a request names', async () => {
  const { openai } = connectOpenAI(demo);
  const first = await openai.responses.create({ model: 'demo', input: 'keys' });
  const raw = responsesClient(demo.corral.origin, demo.apiKey);
  const items = [{ role: 'user', content: 'Hi!' }];
  const { body: conversation } = await raw.send('POST /v1/conversations', { items });
  for (const state of [{ previous_response_id: first.id }, { conversation: conversation.id }, {}]) {
    const request = { model: 'demo', input: 'limits', ...state };
    const { input_tokens } = await openai.responses.inputTokens.count(request);
    const { usage } = await openai.responses.create({ ...request, max_output_tokens: 1 });
    expect(usage?.input_tokens).toBe(input_tokens);
  }
  // A count adds nothing to a conversation.
  const { body: after } = await raw.send(`GET /v1/conversations/${conversation.id}/items`);
  expect(after.data).toHaveLength(3);
});

const image =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABpfZFQAAAAABJRU5ErkJggg==';
const withImage: Input = {
  role: 'user',
  content: [
    { type: 'input_text', text: 'What do you see?' },
    { type: 'input_image', image_url: image, detail: 'auto' },
  ],
};

it('an image reaches an engine that can see, and is rejected with the reason otherwise', async () => {
  await using fake = await startFakeBackend(echo);
  await using corral = await startTestGateway({ backend: fake.backend });
  await responsesClient(corral.origin, corral.secret).send('POST /v1/responses', { input: [withImage] });
  expect(JSON.parse(fake.received.at(-1)?.body ?? '').input).toEqual([withImage]);
  const { openai } = connectOpenAI(demo);
  const error = await openai.responses.create({ model: 'demo', input: [withImage] }).catch((it) => it);
  expect(error).toMatchObject({ status: 400, code: 'media_not_supported' });
});

it.each([{ model: 'demo', input: [question] }, { input: [question] }])(
  'compaction is rejected with what to do instead: %j',
  async (request) => {
    const { openai } = connectOpenAI(demo);
    const error = await openai.responses.compact(request as never).catch((it) => it);
    expect(error).toMatchObject({ status: 400, code: 'compaction_not_supported' });
    expect(error.message).toContain('truncation');
  },
);
