import { writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { killProcess } from '../../harness/child-processes.ts';
import { startServedModels } from '../../harness/start-served-models.ts';
import { temporaryFolder } from '../../harness/temporary-folder.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { demoModelFile } from '../../services/demo-models.ts';

const promptOf = (word: string) => ({
  messages: [{ role: 'system', content: Array.from({ length: 60 }, (_, n) => `${word}${n}`).join(' ') }],
});

it('the first request after a start, and after a kill -9, finds its prompt in the cache of its model', async () => {
  const path = await demoModelFile('guide');
  await using folder = await temporaryFolder();
  const file = folder.file('warm.jsonl');
  const prompts = [
    { ...promptOf('first'), model: 'a' },
    { url: '/v1/chat/completions', body: { ...promptOf('second'), model: 'latest' } },
    { ...promptOf('third'), model: 'latset' },
  ];
  writeFileSync(file, prompts.map((prompt) => JSON.stringify(prompt)).join('\n'));
  await using models = await startServedModels(
    {
      models: ['a', 'b'].map((id) => ({ id, path, pin: true, parallel: 2, ctx: 2048 })),
      aliases: [{ name: 'latest', targets: [{ model: 'b' }] }],
    },
    { WARM_PROMPTS: file },
  );
  const warmUps = () => models.deployment.output().split('warm prompts are in the prompt cache').length - 1;
  /** Tokens of a prompt that are not in the cache of a model. */
  const missing = async (model: string, word: string) => {
    const response = await models.post('/v1/chat/completions', { ...promptOf(word), model, max_tokens: 1 });
    const { usage } = (await response.json()) as {
      usage: { prompt_tokens: number; prompt_tokens_details: { cached_tokens: number } };
    };
    return usage.prompt_tokens - usage.prompt_tokens_details.cached_tokens;
  };
  await waitFor('both models to be warm', () => warmUps() === 2);
  expect(models.deployment.output().match(/a warm prompt cannot be read: .*/g)).toEqual([
    'a warm prompt cannot be read: there is no model "latset" place="line 3"',
  ]);
  expect(await missing('a', 'first')).toBe(1);
  expect(await missing('b', 'second')).toBe(1);
  expect(await missing('b', 'first')).toBeGreaterThan(100);

  killProcess(await models.pidOf('a'), 'SIGKILL');
  await waitFor('the model to be warm again', () => warmUps() === 3);
  expect(await missing('a', 'first')).toBe(1);
});
