import { afterAll, beforeAll, expect, it } from 'vitest';
import { storyText } from '../../../cli/demo-model/stories.ts';
import { type Demo, startDemo } from '../../harness/start-demo.ts';

const context = 512;
const long = 'many words '.repeat(400);

let demo: Demo;
beforeAll(async () => {
  demo = await startDemo({ llama: { slots: 1, context } });
});
afterAll(() => demo.stop());

function send(path: string, body: object) {
  return fetch(`${demo.baseURL}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${demo.apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

it.each([
  ['/chat/completions', { messages: [{ role: 'user', content: long }] }],
  ['/chat/completions', { stream: true, messages: [{ role: 'user', content: long }] }],
  ['/completions', { prompt: long }],
  ['/responses', { input: long }],
])(
  'on %s a prompt that does not fit is rejected with the numbers, although all slots are busy',
  async (path, body) => {
    const { scheduler } = demo.corral.gateway;
    const lane = { id: 'another', weight: 2, maxConcurrent: Infinity };
    const held = await scheduler.admit({ lane, slots: 1, signal: new AbortController().signal });
    if (held.outcome !== 'granted') throw new Error('the slot is taken');
    using _lease = held.lease;
    const rejected = await send(path, body);
    expect(rejected.status).toBe(400);
    const { error } = (await rejected.json()) as { error: { code: string; message: string } };
    expect(error.code).toBe('context_length_exceeded');
    const [tokens, size] = [...error.message.matchAll(/\d+/g)].map(Number);
    expect(size).toBe(context);
    expect(tokens).toBeGreaterThan(context);
  },
);

it('a prompt that only looks too long is served', async () => {
  // A phrase of the demo model is one token, however many letters it has.
  const prompt = storyText('keys').repeat(3);
  expect(Buffer.byteLength(prompt)).toBeGreaterThan(4 * context);
  const response = await send('/completions', { prompt, max_tokens: 1 });
  expect(response.status).toBe(200);
});
