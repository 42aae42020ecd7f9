import { Client } from 'undici';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { storyText } from '../../../../cli/demo-model/stories.ts';
import { type Demo, startDemo } from '../../../harness/start-demo.ts';
import { waitFor } from '../../../harness/wait-for.ts';
import { connectOpenAI } from './connect-openai.ts';

let demo: Demo;
beforeAll(async () => {
  demo = await startDemo({ llama: { slots: 1 } });
});
afterAll(() => demo.stop());

/** A story that ends only with the context. */
const request = {
  model: 'demo',
  messages: [{ role: 'user' as const, content: 'Tell me a long story' }],
  ignore_eos: true,
};

/** The state of the engine's only slot. */
async function isEngineBusy(): Promise<boolean> {
  const { address, apiKey } = demo.engine.backend;
  const engine = new Client(address.origin, {
    ...(address.socketPath && { socketPath: address.socketPath }),
  });
  const headers = { authorization: `Bearer ${apiKey}` };
  const { body } = await engine.request({ method: 'GET', path: '/slots', headers });
  const slots = (await body.json()) as { is_processing: boolean }[];
  await engine.close();
  return slots.some((slot) => slot.is_processing);
}

const atRest = () =>
  waitFor(
    'the slot to be free',
    async () => demo.corral.gateway.scheduler.counts.leased === 0 && !(await isEngineBusy()),
  );

it('leaving the loop over a stream frees its slot', async () => {
  const { openai, wire } = connectOpenAI(demo);
  const stream = await openai.chat.completions.create({ ...request, stream: true });
  let text = '';
  for await (const { choices } of stream) {
    text += choices[0]?.delta.content ?? '';
    if (text.length > 200) break;
  }
  await atRest();
  expect(storyText('long story').startsWith(text)).toBe(true);
  expect(wire.last.text).not.toContain('[DONE]');
  expect(await logged(wire.last.requestId)).toMatchObject({ status: 499 });
});

it('aborting the signal of a request frees its slot', async () => {
  const { openai } = connectOpenAI(demo);
  const aborting = new AbortController();
  const stream = await openai.chat.completions.create(
    { ...request, stream: true },
    { signal: aborting.signal },
  );
  for await (const _ of stream) aborting.abort();
  await atRest();
});

it('aborting a request without streaming frees its slot', async () => {
  const { openai } = connectOpenAI(demo);
  const aborting = new AbortController();
  const completion = openai.chat.completions.create(request, { signal: aborting.signal });
  await waitFor('the engine to be at work', isEngineBusy, { every: 1 });
  aborting.abort();
  await expect(completion).rejects.toThrow('aborted');
  await atRest();
  expect(demo.corral.gateway.scheduler.counts).toMatchObject({ leased: 0, waiting: 0 });
});

it('the next request is served', async () => {
  const { openai } = connectOpenAI(demo);
  const messages = [{ role: 'user' as const, content: 'keys' }];
  const { choices } = await openai.chat.completions.create({ model: 'demo', messages });
  expect(choices[0]?.message.content).toBe(storyText('keys'));
});

const logged = (requestId: string | null) =>
  waitFor('the log line', () => demo.corral.logged.find(({ id }) => id === requestId));
