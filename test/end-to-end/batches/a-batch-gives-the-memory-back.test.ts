import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { taleText } from '../../../cli/demo-model/tales.ts';
import {
  allResults,
  chatLines,
  chatTextOf,
  createBatchOfLines,
  currentBatch,
  storyOf,
  untilEnded,
} from '../../harness/batches.ts';
import { defaultKeys, startBatchRunner } from '../../harness/start-batch-runner.ts';
import { newFolder } from '../../harness/start-deployment.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { demoModelFile } from '../../services/demo-models.ts';

const GiB = 1024 ** 3;
const count = 400;

it('a model that a batch has loaded makes room for one that a client asks for, and comes back', async () => {
  const folder = newFolder();
  mkdirSync(join(folder, 'data'), { recursive: true });
  // Only one of them fits.
  const large = async (id: 'guide' | 'tales') => ({
    ...{ id, path: await demoModelFile(id), ctx: 4096, parallel: 2, limits: { memory: 3 * GiB } },
  });
  const models = [{ ...(await large('tales')) }, { ...(await large('guide')) }];
  writeFileSync(join(folder, 'data', 'models.json'), JSON.stringify({ version: 1, models }));
  await using product = await startBatchRunner({
    folder,
    env: { MODEL_PATH: '', MODEL_ALIAS: '', MEMORY_BUDGET: '4GiB', MODEL_HOLD: '2s' },
  });
  const { store, deployment } = product;
  const ask = async () => {
    const response = await fetch(`http://127.0.0.1:${deployment.gatewayPort}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'x-api-key': defaultKeys.app.secret, 'content-type': 'application/json' },
      body: JSON.stringify({
        ...{ model: 'tales', temperature: 0, max_tokens: 900 },
        messages: [{ role: 'user', content: 'the desert' }],
      }),
    });
    const { choices } = (await response.json()) as { choices: { message: { content: string } }[] };
    expect(choices[0]?.message.content).toBe(taleText('desert'));
  };
  await ask();
  const batch = await createBatchOfLines(store, chatLines(count, 'line', { model: 'guide' }));
  for (let n = 0; n < 2; n++) {
    const before = currentBatch(store, batch).counts.completed;
    await waitFor('the batch to run', () => currentBatch(store, batch).counts.completed > before + 20);
    await ask();
  }
  const ended = await untilEnded(store, batch);
  expect(ended).toMatchObject({ status: 'completed', counts: { completed: count, failed: 0 } });
  const results = await allResults(store, ended);
  expect(results.map(chatTextOf)).toEqual(results.map((_, n) => storyOf(n).text));
  const { models: views = [] } = await deployment.status();
  expect(views.find(({ id }) => id === 'guide')?.loads).toBe(3);
});
