import { describe, expect, it } from 'vitest';
import { storyText } from '../../../cli/demo-model/stories.ts';
import { taleText } from '../../../cli/demo-model/tales.ts';
import { parseEvents } from '../../../sse/sse.ts';
import { chatTextIn } from '../../harness/request-events.ts';
import { startServedModels } from '../../harness/start-served-models.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { demoModelFile } from '../../services/demo-models.ts';

const GiB = 1024 ** 3;

async function forOne(hold: string) {
  const limits = { memory: 3 * GiB };
  return startServedModels(
    {
      models: [
        { id: 'guide', path: await demoModelFile('guide'), parallel: 2, limits },
        { id: 'tales', path: await demoModelFile('tales'), parallel: 2, limits },
      ],
    },
    { MEMORY_BUDGET: '4GiB', MODEL_HOLD: hold, STREAM_HEADERS_AFTER: '0', STREAM_KEEPALIVE: '50ms' },
  );
}

describe('with memory for one of two models', () => {
  it('clients that alternate get every text whole, and no error', async () => {
    await using models = await forOne('200ms');
    const ask = async (turn: number) =>
      turn % 2 === 0
        ? expect(await models.chat('guide', 'About keys')).toBe(storyText('keys'))
        : expect(await models.chat('tales', 'Of the harbour')).toBe(taleText('harbour'));
    await Promise.all(
      Array.from({ length: 4 }, async (_, client) => {
        for (let turn = client; turn < client + 6; turn++) await ask(turn);
      }),
    );
    expect(await models.deployment.status()).toMatchObject({ lastCrash: null });
  });

  it('a stream is not cut off by a swap, and a waiting client reads what is loaded', async () => {
    await using models = await forOne('0');
    const post = (model: string, content: string) =>
      models.post('/v1/chat/completions', { model, stream: true, messages: [{ role: 'user', content }] });
    const long = await post('guide', 'A long story');
    const reading = long.text();
    const short = await post('tales', 'Of the desert');
    const heard = await short.text();
    const told = await reading;
    expect(chatTextIn(parseEvents(told))).toBe(storyText('long story'));
    expect(chatTextIn(parseEvents(heard))).toBe(taleText('desert'));
    expect(heard.split('\n').filter((line) => line.startsWith(': loading tales'))).not.toEqual([]);
    await waitFor(
      'the other model to be unloaded',
      async () => (await models.model('guide')).status === 'unloaded',
    );
  });
});
