import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { allResults, createBatchOfLines, currentBatch, untilEnded } from '../../harness/batches.ts';
import { startBatchRunner } from '../../harness/start-batch-runner.ts';
import { newFolder } from '../../harness/start-deployment.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { demoModelFile } from '../../services/demo-models.ts';

const url = '/v1/messages';
const names = ['broken', 'guide', 'tales', 'unknown'];

/** The models take turns, beginning with the one that fails. */
const lines = Array.from({ length: 40 }, (_, n) => ({
  ...{ custom_id: `line-${n}`, method: 'POST', url },
  body: {
    model: names[n % 4],
    max_tokens: 8,
    messages: [{ role: 'user', content: `${n}: tell me about keys` }],
  },
}));

it('the requests of a message batch for other models are answered, and those of the failed model when it loads', async () => {
  const folder = newFolder();
  const dataDir = join(folder, 'data');
  mkdirSync(dataDir, { recursive: true });
  const broken = join(folder, 'broken.gguf');
  writeFileSync(broken, 'no model');
  const guide = { id: 'guide', path: await demoModelFile('guide'), ctx: 4096, parallel: 2, pin: true };
  const tales = { id: 'tales', path: await demoModelFile('tales'), ctx: 4096, parallel: 2 };
  const setModels = (path: string) => {
    const models = [guide, tales, { id: 'broken', path, ctx: 4096, parallel: 2 }];
    writeFileSync(join(dataDir, 'models.json'), JSON.stringify({ version: 1, models }));
  };
  setModels(broken);
  await using product = await startBatchRunner({ folder, env: { MODEL_PATH: '', MODEL_ALIAS: '' } });
  const { store } = product;
  const batch = await createBatchOfLines(store, lines, { endpoint: url, dialect: 'anthropic' });
  const counts = () => currentBatch(store, batch).counts;
  await waitFor('the requests for other models', () => counts().completed === 20 && counts().failed === 10);
  await waitFor('it to say why it waits', () => currentBatch(store, batch).reason?.includes("'broken'"));
  setModels(tales.path);
  const ended = await untilEnded(store, batch);
  expect(ended).toMatchObject({ status: 'completed', reason: null, counts: { completed: 30, failed: 10 } });
  const results = await allResults(store, ended);
  expect(results.map(({ custom_id: id }) => id)).toEqual(lines.map(({ custom_id: id }) => id));
  expect(results.map(({ response }) => response?.status_code)).toEqual(
    lines.map(({ body }) => (body.model === 'unknown' ? 404 : 200)),
  );
});
