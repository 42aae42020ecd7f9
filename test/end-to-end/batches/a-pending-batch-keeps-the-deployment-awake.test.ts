import { expect, it } from 'vitest';
import {
  allResults,
  chatLines,
  createBatchOfLines,
  currentBatch,
  untilEnded,
} from '../../harness/batches.ts';
import { openProductStore } from '../../harness/open-test-store.ts';
import { startBatchRunner } from '../../harness/start-batch-runner.ts';
import { newFolder } from '../../harness/start-deployment.ts';
import { waitFor } from '../../harness/wait-for.ts';

const idle = { IDLE_SHUTDOWN_SECONDS: '4s' };

it.concurrent('a deployment shuts down when its batches have ended, not before', async () => {
  const folder = newFolder();
  const store = openProductStore(`${folder}/data`);
  const batch = await createBatchOfLines(store, chatLines(400));
  await using product = await startBatchRunner({ folder, env: idle, untilReady: false });
  expect(await product.deployment.exitCode()).toBe(0);
  const ended = currentBatch(store, batch);
  expect(ended).toMatchObject({ status: 'completed', counts: { completed: 400 } });
  expect((ended.completedAt ?? 0) - (ended.inProgressAt ?? 0)).toBeGreaterThan(2);
  store[Symbol.dispose]();
});

it.concurrent('it shuts down although a batch is pending where BATCH_KEEPS_AWAKE is off, and the next start goes on', async () => {
  const folder = newFolder();
  const store = openProductStore(`${folder}/data`);
  const batch = await createBatchOfLines(store, chatLines(3000));
  {
    const first = await startBatchRunner({
      folder,
      env: { ...idle, BATCH_KEEPS_AWAKE: 'false' },
      untilReady: false,
    });
    expect(await first.deployment.exitCode()).toBe(0);
    first.store[Symbol.dispose]();
  }
  const { status, counts } = currentBatch(store, batch);
  expect(status).toBe('in_progress');
  expect(counts.completed).toBeLessThan(3000);
  await using second = await startBatchRunner({ folder });
  await waitFor(
    'more results',
    () => currentBatch(second.store, batch).counts.completed > counts.completed + 20,
  );
  second.store.batches.requestCancel('app', batch.id);
  const ended = await untilEnded(second.store, batch);
  const ids = (await allResults(second.store, ended)).map(({ custom_id }) => custom_id);
  expect(ids).toEqual(chatLines(3000).map(({ custom_id }) => custom_id));
  store[Symbol.dispose]();
});
