import { afterAll, beforeAll, expect, it } from 'vitest';
import { requestBackend } from '../../../health/request-backend.ts';
import { gatewayIsIdle } from '../../harness/gateway-idle.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { chatOf, postOf } from '../../harness/raw-request.ts';
import { type Demo, startDemo } from '../../harness/start-demo.ts';
import { waitFor } from '../../harness/wait-for.ts';

/** A response that fills the context. */
const endless = { max_tokens: 100_000, ignore_eos: true };
const question = { role: 'user', content: 'Tell me a long story' };

let demo: Demo;
beforeAll(async () => {
  demo = await startDemo({ llama: { slots: 2, context: 60_000, args: ['--slots'] } });
});
afterAll(() => demo.stop());

interface Slot {
  readonly is_processing: boolean;
  readonly next_token: readonly { readonly n_decoded: number }[];
}

async function busySlots(): Promise<Slot[]> {
  const response = await requestBackend(demo.engine.backend, { path: '/slots', timeoutMs: 60_000 });
  if (response.outcome !== 'responded') throw new Error(`/slots: ${response.outcome}`);
  return (JSON.parse(response.body) as Slot[]).filter((slot) => slot.is_processing);
}

/** For so long that the gateway has read some of it, too. */
const isGenerating = ({ next_token }: Slot) => next_token.some(({ n_decoded }) => n_decoded > 100);

const requests = {
  '/v1/chat/completions': { messages: [question], ...endless },
  '/v1/completions': { prompt: '<|user|>long story<|end|><|assistant|>', ...endless },
  '/v1/messages': { messages: [question], ...endless },
  '/v1/responses': { input: 'Tell me a long story', max_output_tokens: 100_000, ignore_eos: true },
};

it.each(Object.entries(requests))(
  '%s: a request without streaming frees its slot when its client disconnects, although another keeps the engine busy',
  async (path, body) => {
    await using busy = await RawClient.connect(demo.corral.port);
    busy.send(postOf(chatOf('Tell me a long story', { ...endless, stream: true })));
    await busy.receives('"content":"');
    await using client = await RawClient.connect(demo.corral.port);
    client.send(postOf(body, { path }));
    await waitFor('both to generate', async () => (await busySlots()).filter(isGenerating).length === 2);
    client.reset();
    await waitFor('the slot to be free', async () => (await busySlots()).length === 1);
    // It began earlier and is as long: if the abandoned response were generated to its end, this one would be complete.
    expect(busy.isClosed, 'the other request is still served').toBe(false);
    await waitFor('the lease to be returned', () => demo.corral.gateway.scheduler.counts.leased === 1);
    const line = await waitFor('its log line', () =>
      demo.corral.logged.find(({ msg }) => msg === `POST ${path} 499`),
    );
    expect(line.tokensOut).toBeGreaterThan(0);
    busy.reset();
    await gatewayIsIdle(demo.corral);
  },
);

it('a request with much white space in its body is logged as any other when its client disconnects at once', async () => {
  for (const blank of [' '.repeat(70), '\n'.repeat(10_000)]) {
    const path = '/v1/completions';
    const body = `{${blank}${JSON.stringify({ prompt: 'long story', ...endless }).slice(1)}`;
    const seen = demo.corral.logged.length;
    await using client = await RawClient.connect(demo.corral.port);
    client
      .send(postOf('', { path }).replace('Content-Length: 0', `Content-Length: ${body.length}`))
      .send(body);
    client.reset();
    const line = await waitFor('its log line', () =>
      demo.corral.logged.slice(seen).find(({ msg }) => msg === `POST ${path} 499`),
    );
    expect(line.error ?? 'client_left').toBe('client_left');
    await gatewayIsIdle(demo.corral);
  }
});
