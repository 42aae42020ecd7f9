import { Client } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LlamaServer, startLlamaServer } from '../../test/services/start-llama-server.ts';
import { storyText, storyThought, type Topic, topics } from './stories.ts';

interface Message {
  readonly role: string;
  readonly content: string;
}
interface Reply {
  readonly content?: string | null;
  readonly reasoning_content?: string;
  readonly tool_calls?: { readonly function: { readonly name?: string; readonly arguments: string } }[];
}
interface Choice {
  readonly message: Reply;
  readonly delta?: Reply;
  readonly finish_reason: string | null;
}

let server: LlamaServer;
let client: Client;

beforeAll(async () => {
  server = await startLlamaServer({ slots: 1, context: 16_384 });
  const { origin, socketPath = '' } = server.backend.address;
  client = new Client(origin, { socketPath });
});
afterAll(async () => {
  await client.destroy();
  await server.stop();
});

async function ask(path: string, question: object): Promise<string> {
  const response = await client.request({
    method: 'POST',
    path,
    reset: true,
    headers: { authorization: `Bearer ${server.apiKey}` },
    body: JSON.stringify(question),
  });
  const text = await response.body.text();
  expect(response.statusCode, text).toBe(200);
  return text;
}

async function chat(messages: readonly Message[], more: object = {}): Promise<Choice> {
  const { choices } = JSON.parse(await ask('/v1/chat/completions', { messages, ...more }));
  return choices[0];
}

async function deltas(messages: readonly Message[]): Promise<Reply[]> {
  const events = await ask('/v1/chat/completions', { messages, stream: true });
  return events
    .split('\n\n')
    .filter((event) => event.startsWith('data: {'))
    .map((event) => JSON.parse(event.slice('data: '.length)).choices[0]?.delta ?? {});
}

const user = (content: string): Message => ({ role: 'user', content });
const questionAbout = (topic: Topic) =>
  user(topic === 'welcome' ? 'Good morning!' : `Would you tell me about ${topic}, please?`);

describe('each story is reproduced to the byte', () => {
  it.each(topics)('%s', async (topic) => {
    const { message, finish_reason } = await chat([questionAbout(topic)]);
    expect(message.content).toBe(storyText(topic));
    expect(message.reasoning_content ?? '').toBe(storyThought(topic));
    expect(finish_reason).toBe('stop');
  });

  it.each(['keys', 'emoji', 'thinking'] as const)('%s, as a stream', async (topic) => {
    const parts = await deltas([questionAbout(topic)]);
    expect(parts.map(({ content }) => content ?? '').join('')).toBe(storyText(topic));
    expect(parts.map(({ reasoning_content }) => reasoning_content ?? '').join('')).toBe(storyThought(topic));
    expect(parts.length).toBeGreaterThan(20);
  });

  it('at any temperature', async () => {
    const hot = await chat([questionAbout('limits')], { temperature: 1.5, top_p: 1, top_k: 0, min_p: 0 });
    expect(hot.message.content).toBe(storyText('limits'));
  });
});

describe('a keyword selects its story', () => {
  it('far from the end of a long prompt', async () => {
    const far = `Tell me about Keys. ${'It is a fine day. '.repeat(500)}`;
    expect((await chat([user(far)])).message.content).toBe(storyText('keys'));
  });

  it('in the last question, not in earlier ones', async () => {
    const talk = [user('keys?'), { role: 'assistant', content: storyText('keys') }];
    expect((await chat([...talk, user('And streams?')])).message.content).toBe(storyText('streams'));
    expect((await chat([...talk, user('Thanks.')])).message.content).toBe(storyText('welcome'));
  });

  it('in plain text without roles', async () => {
    const { choices } = JSON.parse(await ask('/v1/completions', { prompt: 'Something about limits' }));
    expect(choices[0].text).toBe(storyText('limits'));
  });
});

describe('an interrupted reply continues where it stopped', () => {
  it.each(['survival', 'emoji', 'welcome'] as const)('%s, after each delta', async (topic) => {
    const question = questionAbout(topic);
    const parts = (await deltas([question])).map(({ content }) => content ?? '');
    let prefix = '';
    for (const [place, part] of parts.entries()) {
      prefix += part;
      if (part === '' || place % 9 !== 2) continue;
      const rest = await deltas([question, { role: 'assistant', content: prefix }]);
      expect(prefix + rest.map(({ content }) => content ?? '').join('')).toBe(storyText(topic));
    }
    expect(prefix).toBe(storyText(topic));
  });
});

describe('a grammar is followed', () => {
  const parameters = {
    type: 'object',
    properties: { city: { type: 'string' }, days: { type: 'integer' } },
    required: ['city', 'days'],
    additionalProperties: false,
  };

  it('for a forced tool call', async () => {
    const tools = [{ type: 'function', function: { name: 'get_weather', parameters } }];
    const { message, finish_reason } = await chat([user('hi')], { tools, tool_choice: 'required' });
    expect(finish_reason).toBe('tool_calls');
    expect(message.tool_calls).toHaveLength(1);
    const call = message.tool_calls?.[0]?.function;
    expect(call?.name).toBe('get_weather');
    expect(JSON.parse(call?.arguments ?? '')).toEqual({ city: 'demo', days: 1 });
  });

  it('for an object with a schema', async () => {
    const properties = {
      ...parameters.properties,
      tags: { type: 'array', items: { type: 'string' }, minItems: 2, maxItems: 4 },
      dry: { type: 'boolean' },
      wind: { type: 'object', properties: { speed: { type: 'number' } }, required: ['speed'] },
    };
    const schema = { type: 'object', properties, required: Object.keys(properties) };
    const response_format = { type: 'json_schema', json_schema: { name: 'weather', schema, strict: true } };
    const { message } = await chat([questionAbout('keys')], { response_format });
    expect(JSON.parse(message.content ?? '')).toEqual({
      city: 'demo',
      days: 1,
      tags: ['demo', 'demo'],
      dry: true,
      wind: { speed: 1 },
    });
  });
});
