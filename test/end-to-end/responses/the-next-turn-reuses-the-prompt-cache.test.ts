import { expect, it } from 'vitest';
import { responsesClient } from '../../harness/responses-client.ts';
import { startDemo } from '../../harness/start-demo.ts';

it('of the prompt of the next turn, everything that the engine has seen comes from its cache', async () => {
  await using demo = await startDemo({ env: { STORE: 'on' }, llama: { slots: 1 } });
  const client = responsesClient(demo.corral.origin, demo.apiKey);
  let previous = await client.create({ input: `${'a long beginning '.repeat(100)} keys` });
  expect(previous.usage.input_tokens).toBeGreaterThan(300);
  for (const input of ['think', 'emoji', 'keys']) {
    const next = await client.create({ input, previous_response_id: previous.id });
    const { cached_tokens: cached } = next.usage.input_tokens_details;
    expect(cached).toBeGreaterThanOrEqual(previous.usage.input_tokens - 1);
    expect(cached).toBeLessThan(next.usage.input_tokens);
    previous = next;
  }
});

it('tools that the next turn inherits begin its prompt as before, whatever the order of their fields', async () => {
  await using demo = await startDemo({ env: { STORE: 'on' }, llama: { slots: 1 } });
  const client = responsesClient(demo.corral.origin, demo.apiKey);
  const parameters = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
  const tools = [
    { type: 'function', parameters, name: 'weather_in', description: 'Tells the weather. '.repeat(50) },
    { name: 'time_in', type: 'function', strict: null, parameters },
  ];
  const first = await client.create({ input: 'keys', tools, max_output_tokens: 20 });
  expect(first.usage.input_tokens).toBeGreaterThan(100);
  const second = await client.create({ input: 'emoji', previous_response_id: first.id });
  expect(second.tools).toEqual(first.tools);
  const { cached_tokens: cached } = second.usage.input_tokens_details;
  expect(cached).toBeGreaterThanOrEqual(first.usage.input_tokens - 1);
});
