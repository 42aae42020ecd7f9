import { afterAll, beforeAll, expect, it } from 'vitest';
import { ask } from '../../health/ask.ts';
import { gatewayAtRest } from '../../scripts/harness/gateway-at-rest.ts';
import { RawClient } from '../../scripts/harness/raw-client.ts';
import { chatOf, postOf } from '../../scripts/harness/raw-request.ts';
import { type Demo, startDemo } from '../../scripts/harness/start-demo.ts';
import { waitFor } from '../../scripts/harness/wait-for.ts';

/** A story that does not end before the context does. */
const endless = { max_tokens: 100_000, ignore_eos: true };
const question = { role: 'user', content: 'Tell me a long story' };

let demo: Demo;
let busy: RawClient;
beforeAll(async () => {
  demo = await startDemo({ llama: { slots: 2, context: 60_000, args: ['--slots'] } });
  busy = await RawClient.connect(demo.corral.port);
  busy.send(postOf(chatOf('Tell me a long story', { ...endless, stream: true })));
  await busy.receives('"content":"');
});
afterAll(async () => {
  busy.reset();
  await gatewayAtRest(demo.corral);
  await demo.stop();
});

async function busySlots(): Promise<number> {
  const answer = await ask(demo.engine.backend, { path: '/slots', timeoutMs: 5000 });
  if (answer.outcome !== 'answered') throw new Error(`/slots: ${answer.outcome}`);
  return (JSON.parse(answer.body) as { is_processing: boolean }[]).filter((slot) => slot.is_processing)
    .length;
}

const requests = {
  '/v1/chat/completions': { messages: [question], ...endless },
  '/v1/completions': { prompt: '<|user|>long story<|end|><|assistant|>', ...endless },
  '/v1/messages': { messages: [question], ...endless },
  '/v1/responses': { input: 'Tell me a long story', max_output_tokens: 100_000, ignore_eos: true },
};

it.each(Object.entries(requests))('of %s, while another keeps the engine busy', async (path, body) => {
  await using client = await RawClient.connect(demo.corral.port);
  client.send(postOf(body, { path }));
  await waitFor('both to be at work', async () => (await busySlots()) === 2);
  const left = performance.now();
  client.reset();
  await waitFor('the slot to be free', async () => (await busySlots()) === 1, { every: 20, within: 3000 });
  expect(performance.now() - left).toBeLessThan(1500);
  await waitFor('the lease to be back', () => demo.corral.gateway.admission.counts.leased === 1);
  const line = await waitFor('its line', () =>
    demo.corral.logged.find(({ msg }) => msg === `POST ${path} 499`),
  );
  expect(line.tokensOut).toBeGreaterThan(0);
  expect(busy.isClosed, 'the other one is still served').toBe(false);
});
