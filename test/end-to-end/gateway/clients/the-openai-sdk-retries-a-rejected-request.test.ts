import { expect, it } from 'vitest';
import { startFakeBackend } from '../../../fakes/start-fake-backend.ts';
import { startTestGateway } from '../../../harness/start-gateway.ts';
import { waitFor } from '../../../harness/wait-for.ts';
import { connectOpenAI } from './connect-openai.ts';

const completion = {
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1,
  model: 'demo',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
};

it('the OpenAI SDK waits for the Retry-After of a full queue, and is served', async () => {
  const held = Promise.withResolvers<() => void>();
  await using fakeBackend = await startFakeBackend((_, response) => {
    const result = () =>
      response.setHeader('content-type', 'application/json').end(JSON.stringify(completion));
    if (fakeBackend.received.length === 1) held.resolve(result);
    else result();
  });
  await using corral = await startTestGateway({
    backend: fakeBackend.backend,
    env: { MAX_CONCURRENT_REQUESTS: '1', MAX_QUEUE_SIZE: '0' },
  });
  const { openai, wire } = connectOpenAI(
    { baseURL: `${corral.origin}/v1`, apiKey: corral.secret },
    { maxRetries: 1 },
  );
  const request = { model: 'demo', messages: [] };
  const first = openai.chat.completions.create(request);
  const release = await held.promise;

  const start = performance.now();
  const second = openai.chat.completions.create(request);
  await waitFor('the rejected request', () => wire.responses.length === 1, { every: 1 });
  expect(wire.last.status).toBe(503);
  release();
  expect((await first).choices[0]?.message.content).toBe('Hello');
  expect((await second).choices[0]?.message.content).toBe('Hello');
  expect(performance.now() - start).toBeGreaterThan(990);
  expect(wire.responses.map(({ status }) => status)).toEqual([503, 200, 200]);
  expect(fakeBackend.received).toHaveLength(2);
});
