import Anthropic from '@anthropic-ai/sdk';
import { zodOutputFormat } from '@anthropic-ai/sdk/helpers/zod';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { storyText } from '../../../../cli/demo-model/stories.ts';
import { recordTraffic } from '../../../harness/record-traffic.ts';
import { type Demo, startDemo } from '../../../harness/start-demo.ts';

let demo: Demo;
beforeAll(async () => {
  demo = await startDemo();
});
afterAll(() => demo.stop());

/** A client. All its responses are checked with the strict schemas when the test ends. */
function connect() {
  const wire = recordTraffic();
  onTestFinished(() => expect(wire.violations).toEqual([]));
  const options = { baseURL: demo.corral.origin, apiKey: demo.apiKey, fetch: wire.fetch, maxRetries: 0 };
  return { anthropic: new Anthropic(options), wire };
}

const userMessage = (content: string | Anthropic.ContentBlockParam[]) => ({ role: 'user' as const, content });
const bodyOf = (content: string | Anthropic.ContentBlockParam[]) => ({
  model: 'demo',
  max_tokens: 500,
  messages: [userMessage(content)],
});

describe('a message with a schema', () => {
  const horse = z.strictObject({ name: z.enum(['Ajax', 'Bella']), isTame: z.boolean() });
  const request = { ...bodyOf('Describe a horse'), output_config: { format: zodOutputFormat(horse) } };

  it('matches the schema', async () => {
    const { anthropic } = connect();
    const message = await anthropic.messages.parse(request);
    expect(horse.parse(message.parsed_output)).toEqual(message.parsed_output);
    expect(message).toMatchObject({ type: 'message', stop_reason: 'end_turn', model: 'demo' });
    expect(message.usage.output_tokens).toBeGreaterThan(5);
  });

  it('matches the schema in a stream', async () => {
    const { anthropic, wire } = connect();
    const message = await anthropic.messages.stream(request).finalMessage();
    const [block] = message.content;
    expect(horse.parse(JSON.parse(block?.type === 'text' ? block.text : ''))).toBeDefined();
    expect(message).toMatchObject({ stop_reason: 'end_turn', usage: { output_tokens: expect.any(Number) } });
    expect(message.usage.input_tokens + (message.usage.cache_read_input_tokens ?? 0)).toBeGreaterThan(2);
    expect(wire.last.text).toMatch(/^event: message_start\n/);
    expect(wire.last.text).toMatch(/event: message_stop\ndata: .*\n\n$/);
  });

  it('matches the schema where it is too short to be streamed, and reports that it was cut off', async () => {
    const { anthropic } = connect();
    const short = await anthropic.messages.create({ ...request, max_tokens: 30 });
    expect(
      horse.parse(JSON.parse(short.content[0]?.type === 'text' ? short.content[0].text : '')),
    ).toBeDefined();
    const cut = await anthropic.messages.create({ ...request, max_tokens: 2 });
    expect(cut).toMatchObject({ stop_reason: 'max_tokens', usage: { output_tokens: 2 } });
  });

  it('matches the schema of the older field, after thinking and a tool call', async () => {
    const { anthropic } = connect();
    const { output_config: _, ...older } = request;
    const message = await anthropic.messages.create({
      ...older,
      output_format: zodOutputFormat(horse),
      messages: [
        userMessage('What is the weather like?'),
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 'Hm.', signature: '' },
            { type: 'tool_use', id: 'a', name: 'weather', input: {} },
          ],
        },
        userMessage([
          { type: 'tool_result', tool_use_id: 'a', content: 'Rain.' },
          { type: 'text', text: 'Describe a horse' },
        ]),
      ],
    } as Anthropic.MessageCreateParamsNonStreaming);
    expect(
      horse.parse(JSON.parse(message.content[0]?.type === 'text' ? message.content[0].text : '')),
    ).toBeDefined();
  });
});

describe('tools', () => {
  const tools = ['first', 'second'].map((name) => ({
    name,
    input_schema: {
      type: 'object' as const,
      properties: { city: { type: 'string', enum: ['Bergen', 'Oslo'] } },
      required: ['city'],
      additionalProperties: false,
    },
  }));
  const weather = { ...bodyOf('What is the weather like?'), tools };

  it.each([false, true])('are called by the chosen name (no parallel calls: %s)', async (isOne) => {
    const { anthropic } = connect();
    const tool_choice = { type: 'tool' as const, name: 'second', disable_parallel_tool_use: isOne };
    const body = { ...weather, tool_choice };
    const call = {
      type: 'tool_use',
      name: 'second',
      input: { city: expect.stringMatching(/^(Bergen|Oslo)$/) },
    };
    for (const message of [
      await anthropic.messages.create(body),
      await anthropic.messages.stream(body).finalMessage(),
    ]) {
      expect(message.stop_reason).toBe('tool_use');
      expect(message.content.filter(({ type }) => type === 'tool_use')).toMatchObject([call]);
    }
  });

  it('are not offered where no call is allowed', async () => {
    const { anthropic } = connect();
    const count = async (more: object) =>
      (await anthropic.messages.countTokens({ model: 'demo', messages: weather.messages, ...more }))
        .input_tokens;
    expect(await count({ tools, tool_choice: { type: 'none' } })).toBe(await count({}));
    expect(await count({ tools })).toBeGreaterThan(await count({}));
    const message = await anthropic.messages.create({
      ...bodyOf('keys'),
      tools,
      tool_choice: { type: 'none' },
    });
    expect(message.content).toMatchObject([{ type: 'text', text: storyText('keys') }]);
  });
});

describe('documents', () => {
  const data = 'horse '.repeat(100);
  const source = { type: 'text' as const, media_type: 'text/plain' as const, data };
  const shown: [string, Anthropic.ContentBlockParam][] = [
    ['a document', { type: 'document', title: 'Horses', source }],
    [
      'a document in blocks',
      { type: 'document', source: { type: 'content', content: [{ type: 'text', text: data }] } },
    ],
    [
      'a search result',
      { type: 'search_result', source: 'a', title: 'b', content: [{ type: 'text', text: data }] },
    ],
    [
      'a tool result',
      { type: 'tool_result', tool_use_id: 'a', content: [{ type: 'document', title: 'Horses', source }] },
    ],
  ];
  it.each(shown)('reach the model: %s', async (_, block) => {
    const { anthropic } = connect();
    const { input_tokens } = await anthropic.messages.countTokens({
      model: 'demo',
      messages: [userMessage([block, { type: 'text', text: 'keys' }])],
    });
    const text = await anthropic.messages.countTokens({
      model: 'demo',
      messages: [userMessage(`${data} keys`)],
    });
    expect(input_tokens).toBeGreaterThan(text.input_tokens);
    const { usage } = await anthropic.messages.create({
      ...bodyOf([block, { type: 'text', text: 'keys' }]),
      max_tokens: 2,
    });
    expect(usage.input_tokens + (usage.cache_read_input_tokens ?? 0)).toBe(input_tokens);
  });

  it('that cannot be read are rejected, also when counting', async () => {
    const { anthropic } = connect();
    const pdf = { type: 'base64' as const, media_type: 'application/pdf' as const, data: 'JVBERi0=' };
    const body = bodyOf([{ type: 'document', source: pdf }]);
    const { max_tokens: _, ...counted } = body;
    for (const response of [anthropic.messages.create(body), anthropic.messages.countTokens(counted)]) {
      const error = await response.then(
        () => undefined,
        (it) => it,
      );
      expect(error).toMatchObject({ status: 400, message: expect.stringContaining('application/pdf') });
    }
  });
});

it("prompts that differ only in Claude Code's billing line share the cache", async () => {
  const { anthropic } = connect();
  const system = (cch: string): Anthropic.TextBlockParam[] => [
    {
      type: 'text',
      text: `x-anthropic-billing-header: cc_version=2.1.101.${cch}; cc_entrypoint=cli; cch=${cch};`,
    },
    { type: 'text', text: `You are a coding agent. ${'Be kind to horses. '.repeat(50)}` },
  ];
  const first = await anthropic.messages.create({
    ...bodyOf('keys'),
    max_tokens: 2,
    system: system('a5145'),
  });
  const second = await anthropic.messages.create({
    ...bodyOf('keys'),
    max_tokens: 2,
    system: system('77b0c1d'),
  });
  const size = first.usage.input_tokens + (first.usage.cache_read_input_tokens ?? 0);
  expect(size).toBeGreaterThan(100);
  expect(second.usage.cache_read_input_tokens).toBe(size - 1);
});
