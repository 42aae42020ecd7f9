import OpenAI from 'openai';
import { expect, it } from 'vitest';
import { echo, tokensOf } from '../../../fakes/scenarios.ts';
import { startFakeBackend } from '../../../fakes/start-fake-backend.ts';
import { startTestGateway } from '../../../harness/start-gateway.ts';
import { waitFor } from '../../../harness/wait-for.ts';

/** How long the backend works on the first requests (on whose median Retry-After is based), and on the others, ms. */
const [FIRST, OTHERS] = [100, 20];

it('the OpenAI SDK with its defaults gets 200 concurrent requests through four slots', async () => {
  await using fakeBackend = await startFakeBackend(
    (request, response) => {
      const work = tokensOf(request) === 'first' ? FIRST : OTHERS;
      setTimeout(() => echo(request, response), work);
    },
    { slots: 4 },
  );
  await using corral = await startTestGateway({ backend: fakeBackend.backend });
  const client = new OpenAI({ baseURL: `${corral.origin}/v1`, apiKey: corral.secret });
  const complete = async (prompt: string) => {
    const messages = [{ role: 'user' as const, content: prompt }];
    return (await client.chat.completions.create({ model: 'any', messages })).choices[0]?.message.content;
  };
  // The very first one waits for code that is loaded.
  for (let n = 0; n < 3; n++) await complete('first');
  const { scheduler } = corral.gateway;
  const lane = { id: 'the test', weight: 2, maxConcurrent: Infinity };
  const held = await scheduler.admit({ lane, slots: 4, signal: new AbortController().signal });
  if (held.outcome !== 'granted') throw new Error('the slots are taken');
  const prompts = Array.from({ length: 200 }, (_, n) => `word ${n}`);
  const pending = Promise.all(prompts.map(complete));
  const isFull = () => corral.logged.filter(({ error }) => error === 'queue_full').length > 50;
  await waitFor('many requests to be rejected', isFull, { every: 1 });
  held.lease[Symbol.dispose]();
  expect(await pending).toEqual(prompts);
});
