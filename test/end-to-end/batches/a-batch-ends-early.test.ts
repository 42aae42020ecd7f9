import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { beforeAll, expect, it } from 'vitest';
import type { Batch, Dialect } from '../../../store/batch.ts';
import { storeFileName } from '../../../store/store.ts';
import {
  allResults,
  chatLines,
  chatTextOf,
  createBatchOfLines,
  currentBatch,
  resultsOf,
  storyOf,
  untilEnded,
} from '../../harness/batches.ts';
import { killProcess } from '../../harness/child-processes.ts';
import { sourceText } from '../../harness/source-text.ts';
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

async function underWay(owner = 'app', dialect: Dialect = 'openai'): Promise<Batch> {
  const batch = await createBatchOfLines(product.store, lines, { owner, dialect });
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

/** The runner finds it when it has been changed. */
async function beforeItIsRead(dialect: Dialect, change: (batch: Batch) => void): Promise<Batch> {
  const pid = product.pidOf('runner');
  killProcess(pid, 'SIGSTOP');
  const endpoint = dialect === 'anthropic' ? '/v1/messages' : '/v1/chat/completions';
  const requests = lines.map((line) => ({ ...line, url: endpoint }));
  const batch = await createBatchOfLines(product.store, requests, { dialect, endpoint });
  change(batch);
  killProcess(pid, 'SIGCONT');
  return untilEnded(product.store, batch);
}

it('one that is cancelled before its file is read does nothing', async () => {
  const ended = await beforeItIsRead('openai', ({ id }) => product.store.batches.requestCancel('app', id));
  expect(ended).toMatchObject({ status: 'cancelled', outputFileId: null, errorFileId: null });
  expect(ended.counts).toEqual({ total: 0, completed: 0, failed: 0, expired: 0, cancelled: 0 });
});

it('one that is cancelled while its file is read has no lines, either', async () => {
  const many = await createBatchOfLines(product.store, chatLines(20_000));
  await waitFor('some lines to be read', () => counts(many).total > 0);
  product.store.batches.requestCancel('app', many.id);
  const ended = await untilEnded(product.store, many);
  expect(ended.counts).toMatchObject(
    ended.inProgressAt === null ? { total: 0, cancelled: 0 } : { total: 20_000 },
  );
});

it.each([
  ['cancelled', ({ id }: Batch) => product.store.batches.requestCancel('app', id)],
  ['expired', ({ id }: Batch) => setExpiry(id, 0)],
] as const)(
  'a message batch that is %s before it is read has a result for each request',
  async (end, change) => {
    const ended = await beforeItIsRead('anthropic', change);
    expect([ended.status, ended.counts[end], ended.counts.total]).toEqual([end, count, count]);
    await expectResults(ended, `batch_${end}`);
  },
);

/** The clock cannot be moved, but the end of a batch can. */
function setExpiry(id: string, seconds: number): void {
  using db = new DatabaseSync(join(product.deployment.folder, 'data', storeFileName), { timeout: 5000 });
  db.prepare('UPDATE batches SET expires_at = ? WHERE id = ?').run(
    Math.floor(Date.now() / 1000) + seconds,
    id,
  );
}

it('one whose time is over gets batch_expired for all other lines', async () => {
  const batch = await underWay();
  setExpiry(batch.id, 2);
  const pid = product.pidOf('runner');
  killProcess(pid, 'SIGKILL');
  const ended = await untilEnded(product.store, batch);
  expect([ended.status, ended.counts.completed + ended.counts.expired]).toEqual(['expired', count]);
  await expectResults(ended, 'batch_expired');
});

it('one whose file was changed on the disk fails, and keeps what is done', async () => {
  const batch = await underWay();
  const file = join(product.deployment.folder, 'data', 'files', batch.inputFileId);
  writeFileSync(file, readFileSync(file, 'utf8').replaceAll('"', '?'), { flag: 'r+' });
  const ended = await untilEnded(product.store, batch);
  expect(ended).toMatchObject({ status: 'failed', errors: [{ code: 'input_file_unreadable', line: null }] });
  expect(ended.errors[0]?.message).toContain('is no request any more');
  expect(await allResults(product.store, ended)).toHaveLength(ended.counts.completed);
  expect(product.deployment.output()).not.toContain(sourceText('unhandled error'));
});

it('those whose keys are disabled, or lose the scope batch, fail and keep what is done', async () => {
  const other = { secret: 'sk-other-0123456789abcdef' };
  product.setKeys({ ...defaultKeys, other });
  const disabled = await underWay('app');
  const withoutScope = await underWay('other');
  const ofMessages = await underWay('app', 'anthropic');
  product.setKeys({
    app: { ...defaultKeys.app, disabled: true },
    other: { ...other, scopes: ['inference'] },
  });
  for (const [batch, code] of [
    [disabled, 'invalid_api_key'],
    [withoutScope, 'insufficient_scope'],
  ] as const) {
    const ended = await untilEnded(product.store, batch);
    expect(ended).toMatchObject({ status: 'failed', errors: [{ code, line: null }] });
    const results = await allResults(product.store, ended);
    expect(results).toHaveLength(ended.counts.completed);
    expect(results.length).toBeGreaterThanOrEqual(20);
  }
  // Clients of Anthropic's API expect a result for each request, whatever has happened.
  const ended = await untilEnded(product.store, ofMessages);
  expect([ended.status, ended.counts.completed + ended.counts.failed]).toEqual(['failed', count]);
  await expectResults(ended, 'invalid_api_key');
});
