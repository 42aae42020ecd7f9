import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { storyText } from '../../../cli/demo-model/stories.ts';
import { parseEvents } from '../../../sse/sse.ts';
import { killProcess } from '../../harness/child-processes.ts';
import { chatTextIn } from '../../harness/request-events.ts';
import { type ServedModels, startServedModels } from '../../harness/start-served-models.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { demoModelFile } from '../../services/demo-models.ts';

let models: ServedModels;

beforeAll(async () => {
  models = await startServedModels({
    models: [
      { id: 'guide', path: await demoModelFile('guide'), pin: true, parallel: 2, ctx: 16384, replicas: 2 },
    ],
  });
  await models.deployment.reachesStatus('ready');
  await bothReady();
});
afterAll(() => models?.[Symbol.asyncDispose]());

const bothReady = () =>
  waitFor('both replicas', async () => {
    const { engines } = await models.model('guide');
    return engines.length === 2 && engines.every(({ status }) => status === 'ready');
  });

describe('two replicas', () => {
  it('lose nothing when one of them is killed in mid-stream, with requests in line', async () => {
    const ask = async (n: number) => {
      const messages = [{ role: 'user', content: `${n}: a long story` }];
      const response = await models.post('/v1/chat/completions', { model: 'guide', stream: true, messages });
      return response.text();
    };
    const pid = await models.pidOf('guide');
    const streams = Array.from({ length: 8 }, (_, n) => ask(n));
    await waitFor('all slots to be in use', async () => {
      const health = (await (await fetch(`${models.origin}/health`)).json()) as { slots: { busy: number } };
      return health.slots.busy === 4;
    });
    killProcess(pid, 'SIGKILL');
    for (const stream of await Promise.all(streams))
      expect(chatTextIn(parseEvents(stream))).toBe(storyText('long story'));
    await bothReady();
  });

  it('keep a conversation where its beginning is in the cache', async () => {
    const conversation = async (name: string) => {
      const messages = [{ role: 'user', content: `${name}: about keys` }];
      const cached: number[] = [];
      for (let turn = 0; turn < 4; turn++) {
        const response = await models.post('/v1/chat/completions', {
          model: 'guide',
          messages,
          max_tokens: 64,
        });
        const { choices, timings } = (await response.json()) as Answer;
        messages.push({ role: 'assistant', content: choices[0]?.message.content ?? '' });
        messages.push({ role: 'user', content: 'And more about keys' });
        cached.push(timings.cache_n);
      }
      return cached.slice(1);
    };
    const all = [...(await conversation('first')), ...(await conversation('second'))];
    expect(all.every((tokens) => tokens > 0)).toBe(true);
  });
});

interface Answer {
  readonly choices: readonly { readonly message: { readonly content: string } }[];
  readonly timings: { readonly cache_n: number };
}
