import { afterAll, beforeAll, expect, it } from 'vitest';
import { storyText, storyThought } from '../../../../cli/demo-model/stories.ts';
import { type Demo, startDemo } from '../../../harness/start-demo.ts';
import { waitFor } from '../../../harness/wait-for.ts';
import { connectOpenAI } from './connect-openai.ts';

let demo: Demo;
beforeAll(async () => {
  demo = await startDemo();
});
afterAll(() => demo.stop());

const messagesOf = (content: string) => [{ role: 'user' as const, content }];

it('the OpenAI SDK gets a completion', async () => {
  const { openai } = connectOpenAI(demo);
  const completion = await openai.chat.completions.create({
    model: 'demo',
    messages: messagesOf('Tell me about keys'),
  });
  expect(completion.choices).toHaveLength(1);
  expect(completion.choices[0]).toMatchObject({
    finish_reason: 'stop',
    message: { role: 'assistant', content: storyText('keys') },
  });
  expect(completion.model).toBe('demo');
  expect(completion.usage?.completion_tokens).toBeGreaterThan(20);
  expect(completion._request_id).toMatch(/^[0-9a-f-]{36}$/);
});

it('the OpenAI SDK sees the request id', async () => {
  const { openai } = connectOpenAI(demo);
  const request = { model: 'demo', messages: messagesOf('hello'), max_tokens: 1 };
  const completion = await openai.chat.completions.create(request, { headers: { 'x-request-id': 'mine-1' } });
  expect(completion._request_id).toBe('mine-1');
});

it.each(['welcome', 'limits', 'emoji', 'long story'] as const)(
  'the OpenAI SDK streams the story about %s',
  async (topic) => {
    const { openai, wire } = connectOpenAI(demo);
    const stream = await openai.chat.completions.create({
      model: 'demo',
      messages: messagesOf(`Tell me about ${topic}`),
      stream: true,
    });
    let text = '';
    let finish: string | null | undefined;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? '';
      finish = chunk.choices[0]?.finish_reason;
    }
    expect(text).toBe(storyText(topic));
    expect(finish).toBe('stop');
    expect(wire.last.text).toMatch(/data: \[DONE\]\n\n$/);
  },
);

it('a stream has no usage unless the client asks for it', async () => {
  const { openai, wire } = connectOpenAI(demo);
  const stream = await openai.chat.completions.create({
    model: 'demo',
    messages: messagesOf('streams'),
    stream: true,
  });
  for await (const chunk of stream) expect(chunk.choices).toHaveLength(1);
  expect(wire.last.text).not.toContain('"usage"');
  expect(wire.last.text).toMatch(/data: \[DONE\]\n\n$/);
});

it('a stream ends with the usage where the client asks for it', async () => {
  const { openai, wire } = connectOpenAI(demo);
  const request = { model: 'demo', messages: messagesOf('streams') };
  const plain = await openai.chat.completions.create(request);
  const stream = openai.chat.completions.stream({ ...request, stream_options: { include_usage: true } });
  expect(await stream.finalContent()).toBe(storyText('streams'));
  expect(await stream.totalUsage()).toMatchObject({
    prompt_tokens: plain.usage?.prompt_tokens,
    completion_tokens: plain.usage?.completion_tokens,
  });
  expect(wire.events.at(-1)).toMatchObject({
    choices: [],
    usage: { completion_tokens: plain.usage?.completion_tokens },
  });
});

it('reasoning is separate from the text', async () => {
  const { openai } = connectOpenAI(demo);
  const completion = await openai.chat.completions.create({
    model: 'demo',
    messages: messagesOf('thinking'),
  });
  expect(completion.choices[0]?.message).toEqual({
    role: 'assistant',
    content: storyText('thinking'),
    reasoning_content: storyThought('thinking'),
  });
});

it('reasoning is separate from the text in a stream', async () => {
  const { openai } = connectOpenAI(demo);
  const stream = await openai.chat.completions.create({
    model: 'demo',
    messages: messagesOf('thinking'),
    stream: true,
  });
  let [reasoning, text] = ['', ''];
  for await (const { choices } of stream) {
    const delta: { content?: string | null; reasoning_content?: string } = choices[0]?.delta ?? {};
    expect(text === '' || delta.reasoning_content === undefined, 'a thought after the text').toBe(true);
    reasoning += delta.reasoning_content ?? '';
    text += delta.content ?? '';
  }
  expect({ thought: reasoning, text }).toEqual({
    thought: storyThought('thinking'),
    text: storyText('thinking'),
  });
});

it('a completion has log-probabilities', async () => {
  const { openai } = connectOpenAI(demo);
  const completion = await openai.chat.completions.create({
    model: 'demo',
    messages: messagesOf('keys'),
    logprobs: true,
    top_logprobs: 3,
  });
  const tokens = completion.choices[0]?.logprobs?.content ?? [];
  expect(tokens.map(({ token }) => token).join('')).toBe(storyText('keys'));
  for (const { token, bytes, logprob, top_logprobs } of tokens) {
    expect(Buffer.from(bytes ?? []).toString()).toBe(token);
    expect(logprob).toBeGreaterThan(-0.01);
    expect(top_logprobs).toHaveLength(3);
    expect(top_logprobs[0]?.token).toBe(token);
  }
});

it('a stream has log-probabilities', async () => {
  const { openai } = connectOpenAI(demo);
  const stream = openai.chat.completions.stream({
    model: 'demo',
    messages: messagesOf('keys'),
    logprobs: true,
    top_logprobs: 1,
  });
  const { choices } = await stream.finalChatCompletion();
  expect(choices[0]?.message.content).toBe(storyText('keys'));
  expect(choices[0]?.logprobs?.content?.map(({ token }) => token).join('')).toBe(storyText('keys'));
});

it('a completion has two choices', async () => {
  const { openai } = connectOpenAI(demo);
  const completion = await openai.chat.completions.create({
    model: 'demo',
    messages: messagesOf('survival'),
    n: 2,
  });
  expect(completion.choices.map(({ index, message }) => [index, message.content])).toEqual([
    [0, storyText('survival')],
    [1, storyText('survival')],
  ]);
});

it('a stream has two choices', async () => {
  const { openai } = connectOpenAI(demo);
  const stream = openai.chat.completions.stream({ model: 'demo', messages: messagesOf('survival'), n: 2 });
  const { choices } = await stream.finalChatCompletion();
  expect(choices.map(({ message }) => message.content)).toEqual([
    storyText('survival'),
    storyText('survival'),
  ]);
});

it('a completion continues a given beginning', async () => {
  const { openai } = connectOpenAI(demo);
  const request = { model: 'demo', messages: messagesOf('dashboard') };
  const first = await openai.chat.completions.create({ ...request, max_tokens: 9 });
  const beginning = first.choices[0]?.message.content ?? '';
  expect(first.choices[0]?.finish_reason).toBe('length');
  const rest = openai.chat.completions.stream({
    ...request,
    messages: [...request.messages, { role: 'assistant', content: beginning }],
  });
  expect(beginning + (await rest.finalContent())).toBe(storyText('dashboard'));
});

it('the log has status 200, although the client disconnects at [DONE]', async () => {
  const { openai, wire } = connectOpenAI(demo);
  for (let i = 0; i < 30; i++) {
    await openai.chat.completions
      .stream({ model: 'demo', messages: messagesOf('keys'), max_tokens: 1 })
      .finalChatCompletion();
  }
  const statuses = await waitFor('the log lines of all of them', () => {
    const ids = wire.responses.map(({ requestId }) => requestId);
    const lines = demo.corral.logged.filter(({ id }) => ids.includes(id as string));
    return lines.length === 30 && lines.map(({ status }) => status);
  });
  expect(new Set(statuses)).toEqual(new Set([200]));
});
