import { expect, it } from 'vitest';
import {
  allResults,
  chatLines,
  chatTextOf,
  createBatchOfLines,
  currentBatch,
  storyOf,
  untilEnded,
} from '../../harness/batches.ts';
import { startBatchRunner } from '../../harness/start-batch-runner.ts';
import { storeFile } from '../../harness/stored-batch.ts';
import { waitFor } from '../../harness/wait-for.ts';

const LIMIT = 1024 ** 2;

it('it says so, and goes on when files were deleted', async () => {
  await using product = await startBatchRunner({ env: { STORE_MAX_SIZE_PER_KEY: `${LIMIT}` } });
  const { store } = product;
  const lines = chatLines(100);
  const input = lines.reduce((sum, line) => sum + JSON.stringify(line).length + 1, 0);
  const filler = await storeFile(store, Buffer.alloc(LIMIT - input - 5000));
  const batch = await createBatchOfLines(store, lines);
  await waitFor('the reason', () => currentBatch(store, batch).reason?.includes('STORE_MAX_SIZE_PER_KEY'));
  const { counts } = currentBatch(store, batch);
  expect(counts.completed).toBeGreaterThan(0);
  expect(counts).toMatchObject({ total: 100, failed: 0 });
  await expect(storeFile(store, 'x')).rejects.toMatchObject({ limit: 'key', bytes: LIMIT });

  store.files.delete('app', filler.id);
  const ended = await untilEnded(store, batch);
  expect(ended).toMatchObject({ status: 'completed', reason: null, counts: { completed: 100 } });
  const results = await allResults(store, ended);
  expect(results.map(chatTextOf)).toEqual(lines.map((_, n) => storyOf(n).text));
});
