import OpenAI from 'openai';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { storyText } from '../../../scripts/demo-model/stories.ts';
import { type Demo, startDemo } from '../../../scripts/harness/start-demo.ts';

let demo: Demo;
beforeAll(async () => {
  demo = await startDemo({ llama: { slots: 4 } });
});
afterAll(() => demo.stop());

it('two hundred requests at once through four slots, as the SDK comes out of the box', async () => {
  const { baseURL, apiKey } = demo;
  const client = new OpenAI({ baseURL, apiKey });
  const answers = await Promise.all(
    Array.from({ length: 200 }, () =>
      client.chat.completions.create({ model: 'demo', messages: [{ role: 'user', content: 'keys' }] }),
    ),
  );
  const texts = new Set(answers.map(({ choices }) => choices[0]?.message.content));
  expect(texts).toEqual(new Set([storyText('keys')]));
  const refused = demo.corral.logged.filter(({ error }) => error === 'queue_full');
  expect(refused.length, 'the line was full for many').toBeGreaterThan(50);
}, 60_000);
