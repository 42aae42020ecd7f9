import { afterAll, beforeAll, expect, it } from 'vitest';
import { storyText } from '../../../../cli/demo-model/stories.ts';
import { type Demo, startDemo } from '../../../harness/start-demo.ts';
import { connectOpenAI } from './connect-openai.ts';

let demo: Demo;
beforeAll(async () => {
  demo = await startDemo();
});
afterAll(() => demo.stop());

/** A prompt in the demo model's chat template. */
const asPrompt = (user: string) => `<|user|>${user}<|end|><|assistant|>`;
const request = { model: 'demo', prompt: asPrompt('limits'), max_tokens: 500 };

it('the OpenAI SDK gets a text', async () => {
  const { openai } = connectOpenAI(demo);
  const { choices, usage } = await openai.completions.create(request);
  expect(choices).toMatchObject([{ index: 0, text: storyText('limits'), finish_reason: 'stop' }]);
  expect(usage?.completion_tokens).toBeGreaterThan(20);
});

it('the OpenAI SDK streams a text', async () => {
  const { openai, wire } = connectOpenAI(demo);
  let text = '';
  for await (const { choices } of await openai.completions.create({ ...request, stream: true })) {
    text += choices[0]?.text ?? '';
  }
  expect(text).toBe(storyText('limits'));
  expect(wire.last.text).toMatch(/"finish_reason":"stop".*\n\ndata: \[DONE\]\n\n$/);
});

it('a stream ends with the usage', async () => {
  const { openai } = connectOpenAI(demo);
  const stream = await openai.completions.create({
    ...request,
    max_tokens: 4,
    stream: true,
    stream_options: { include_usage: true },
  });
  const usages = [];
  for await (const { usage } of stream) if (usage) usages.push(usage);
  expect(usages).toMatchObject([{ completion_tokens: 4 }]);
});

it('each of several prompts gets a completion', async () => {
  const { openai } = connectOpenAI(demo);
  const { choices } = await openai.completions.create({
    ...request,
    prompt: [asPrompt('keys'), asPrompt('streams')],
  });
  expect(choices.map(({ index, text }) => [index, text])).toEqual([
    [0, storyText('keys')],
    [1, storyText('streams')],
  ]);
});

it('a completion ends at a stop word', async () => {
  const { openai } = connectOpenAI(demo);
  const { choices } = await openai.completions.create({ ...request, stop: ['Others wait'] });
  expect(storyText('limits').startsWith(`${choices[0]?.text}Others wait`)).toBe(true);
  expect(choices[0]?.finish_reason).toBe('stop');
});
