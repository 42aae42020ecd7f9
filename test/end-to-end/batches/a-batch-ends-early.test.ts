import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { beforeAll, expect, it } from 'vitest';
import type { Batch } from '../../../store/batch.ts';
import { storeFileName } from '../../../store/store.ts';
import {
  allResults,
  chatLines,
  chatTextOf,
  createBatch,
  currentBatch,
  resultsOf,
  storyOf,
  untilEnded,
} from '../../harness/batches.ts';
import { killProcess } from '../../harness/child-processes.ts';
import { type BatchDeployment, defaultKeys, startBatchRunner } from '../../harness/start-batch-runner.ts';
import { waitFor } from '../../harness/wait-for.ts';

const count = 2000;
const lines = chatLines(count);

let product: BatchDeployment;
beforeAll(async () => {
  product = await startBatchRunner();
  return () => product[Symbol.asyncDispose]();
});

const counts = (batch: Batch) => currentBatch(product.store, batch).counts;

async function underWay(owner = 'app'): Promise<Batch> {
  const batch = await createBatch(product.store, lines, { owner });
  await waitFor('some results', () => counts(batch).completed >= 20);
  return batch;
}

/** Every line has one result: its exact text, or this error. */
async function expectResults(ended: Batch, code: string): Promise<void> {
  const results = await allResults(product.store, ended);
  expect(results.map(({ custom_id }) => custom_id)).toEqual(lines.map(({ custom_id }) => custom_id));
  const unanswered = await resultsOf(product.store, ended.errorFileId);
  expect(unanswered.length).toBe(count - ended.counts.completed);
  for (const { response, error } of unanswered) expect([response, error?.code]).toEqual([null, code]);
  for (const [n, result] of results.entries())
    if (result.error === null) expect(chatTextOf(result)).toBe(storyOf(n).text);
}

it('a cancelled one keeps what is done', async () => {
  const batch = await underWay();
  expect(product.store.batches.requestCancel('app', batch.id)?.status).toBe('cancelling');
  const ended = await untilEnded(product.store, batch);
  const { completed, cancelled } = ended.counts;
  expect([ended.status, completed + cancelled, completed >= 20]).toEqual(['cancelled', count, true]);
  await expectResults(ended, 'batch_cancelled');
});

it('one that is cancelled before its file is read does nothing', async () => {
  const batch = await createBatch(product.store, lines);
  product.store.batches.requestCancel('app', batch.id);
  const ended = await untilEnded(product.store, batch);
  expect([ended.status, ended.counts.completed]).toEqual(['cancelled', 0]);
});

it('one whose time is over gets batch_expired for all other lines', async () => {
  const batch = await underWay();
  // The clock cannot be moved, but the end of the batch can.
  using db = new DatabaseSync(join(product.deployment.folder, 'data', storeFileName), { timeout: 5000 });
  db.prepare('UPDATE batches SET expires_at = ? WHERE id = ?').run(
    Math.floor(Date.now() / 1000) + 2,
    batch.id,
  );
  const pid = product.pidOf('runner');
  killProcess(pid, 'SIGKILL');
  const ended = await untilEnded(product.store, batch);
  expect([ended.status, ended.counts.completed + ended.counts.expired]).toEqual(['expired', count]);
  await expectResults(ended, 'batch_expired');
});

it.each([
  ['disabled', { ...defaultKeys.app, disabled: true }, 'invalid_api_key'],
  ['without the scope batch', { ...defaultKeys.app, scopes: ['inference'] }, 'insufficient_scope'],
] as const)('one whose key is %s fails, and keeps what is done', async (_, app, code) => {
  product.setKeys(defaultKeys);
  const batch = await underWay();
  product.setKeys({ app });
  const ended = await untilEnded(product.store, batch);
  expect(ended).toMatchObject({ status: 'failed', errors: [{ code, line: null }] });
  const results = await allResults(product.store, ended);
  expect(results).toHaveLength(ended.counts.completed);
  expect(results.length).toBeGreaterThanOrEqual(20);
});
