import { describe, expect, it } from 'vitest';
import { openTestStore } from '../test/harness/open-test-store.ts';
import { createBatch, createRunningBatch, readText, storeFile } from '../test/harness/stored-batch.ts';
import { noResponses } from '../test/harness/stored-responses.ts';
import type { Batch, BatchStatus } from './batch.ts';

const newBatch = (inputFileId: string) => ({
  owner: 'app',
  dialect: 'openai' as const,
  endpoint: '/v1/embeddings',
  inputFileId,
  metadata: { day: 'monday' },
  outputExpiresAfter: 3600,
});

describe('the creation of a batch', () => {
  it('sets what is known, and 24 hours to end', async () => {
    await using test = await openTestStore();
    const { id } = await storeFile(test.store, 'x');
    const created = test.store.batches.create(newBatch(id));
    expect(created).toMatchObject({
      created: true,
      batch: {
        ...newBatch(id),
        status: 'validating',
        counts: { total: 0, completed: 0, failed: 0, expired: 0, cancelled: 0 },
        usage: { inputTokens: 0, cachedTokens: 0, outputTokens: 0, reasoningTokens: 0 },
        ...{ errors: [], model: null, reason: null, outputFileId: null, errorFileId: null },
        ...{ inProgressAt: null, completedAt: null },
      },
    });
    const [batch] = test.store.batches.open();
    expect(batch?.expiresAt).toBe((batch?.createdAt ?? 0) + 24 * 3600);
    expect(batch?.id).toMatch(/^batch_[0-9a-f]{32}$/);
  });

  it('needs a file that its owner has', async () => {
    await using test = await openTestStore();
    const foreign = await storeFile(test.store, 'x', { owner: 'other' });
    const deleted = await storeFile(test.store, 'x');
    test.store.files.delete('app', deleted.id);
    for (const id of [foreign.id, deleted.id, 'file-1'])
      expect(test.store.batches.create(newBatch(id))).toBe('unknown-file');
    expect(test.store.batches.open()).toEqual([]);
  });

  it('happens once for the same idempotency key and request; another request conflicts', async () => {
    await using test = await openTestStore();
    const { batches } = test.store;
    const file = newBatch((await storeFile(test.store, 'x')).id);
    const request = { ...file, idempotencyKey: 'k', requestDigest: 'd' };
    const first = batches.create(request);
    expect(test.open('gateway').batches.create(request)).toEqual({ ...(first as object), created: false });
    expect(batches.create({ ...request, requestDigest: 'e' })).toBe('idempotency-conflict');
    expect(batches.create({ ...file, idempotencyKey: 'l', requestDigest: 'd' })).toMatchObject({
      created: true,
    });
    const { id } = await storeFile(test.store, 'x', { owner: 'other' });
    expect(batches.create({ ...request, owner: 'other', inputFileId: id })).toMatchObject({ created: true });
    expect(batches.open()).toHaveLength(3);
  });
});

describe('batches', () => {
  it('are listed to their owner, newest first, in both directions and by dialect', async () => {
    await using test = await openTestStore();
    const { batches } = test.store;
    const ids: string[] = [];
    for (const dialect of ['openai', 'anthropic', 'openai', 'openai'] as const)
      ids.unshift((await createBatch(test.store, { dialect })).id);
    await createBatch(test.store, { owner: 'other' });
    const list = (query: object) => {
      const page = batches.list('app', { limit: 2, ...query });
      return page === 'unknown-after' ? page : [page.batches.map(({ id }) => ids.indexOf(id)), page.hasMore];
    };
    expect(list({})).toEqual([[0, 1], true]);
    expect(list({ after: ids[1] })).toEqual([[2, 3], false]);
    expect(list({ before: ids[3] })).toEqual([[1, 2], true]);
    expect(list({ before: ids[1] })).toEqual([[0], false]);
    expect(list({ dialect: 'anthropic' })).toEqual([[2], false]);
    batches.transition(ids[1] ?? '', 'failed');
    expect(batches.delete('app', ids[1] ?? '')).toBe(true);
    expect(list({ after: ids[1] })).toEqual([[2, 3], false]);
    expect(list({ before: ids[1] })).toEqual([[0], false]);
    expect(batches.list('other', { limit: 2, after: ids[1] })).toBe('unknown-after');
    expect(list({ after: 'batch_0' })).toBe('unknown-after');
    expect(batches.list('other', { limit: 2, after: ids[0] })).toBe('unknown-after');
    expect(batches.get('other', ids[0] ?? '')).toBeUndefined();
    expect(batches.requestCancel('other', ids[0] ?? '')).toBeUndefined();
    expect(batches.delete('other', ids[0] ?? '')).toBe(false);
    expect(batches.open().map(({ id }) => ids.indexOf(id))).toEqual([3, 2, 0, -1]);
  });

  it('take each status at its time, and none that does not follow', async () => {
    await using test = await openTestStore();
    const { batches } = test.store;
    const { id } = await createBatch(test.store);
    const reached = (status: BatchStatus) => batches.transition(id, status)?.status;
    expect(reached('finalizing')).toBeUndefined();
    expect(reached('in_progress')).toBe('in_progress');
    batches.update(id, { model: 'demo', reason: 'the disk is full' });
    expect(batches.get('app', id)).toMatchObject({ model: 'demo', reason: 'the disk is full' });
    expect(batches.requestCancel('app', id)?.status).toBe('cancelling');
    expect(batches.requestCancel('app', id)?.status).toBe('cancelling');
    expect(reached('in_progress')).toBeUndefined();
    expect(reached('completed')).toBeUndefined();
    expect(reached('cancelled')).toBe('cancelled');
    expect(batches.requestCancel('app', id)?.status).toBe('cancelled');
    const batch = batches.get('app', id);
    expect(batch).toMatchObject({ model: 'demo', reason: null, completedAt: null, failedAt: null });
    for (const time of ['createdAt', 'inProgressAt', 'cancellingAt', 'cancelledAt'] as const)
      expect(batch?.[time]).toBeGreaterThan(1.7e9);
    expect(batches.open()).toEqual([]);
    expect(batches.transition('batch_0', 'failed')).toBeUndefined();
  });

  it('keep the errors of their validation', async () => {
    await using test = await openTestStore();
    const { id } = await createBatch(test.store);
    const errors = [{ code: 'invalid_json_line', message: 'not JSON', param: null, line: 3 }];
    test.store.batches.transition(id, 'failed', { errors });
    expect(test.store.batches.get('app', id)).toMatchObject({ status: 'failed', errors, outputFileId: null });
  });
});

describe('results', () => {
  const finished = (batch: Batch | undefined) => batch?.counts;

  it('are in the output or the error file once, also if they arrive together or again', async () => {
    await using test = await openTestStore();
    const { batches } = test.store;
    const { id } = await createRunningBatch(test.store, 5);
    const usage = { inputTokens: 5, cachedTokens: 1, outputTokens: 7, reasoningTokens: 2 };
    await Promise.all([
      batches.finishLines(id, [{ number: 1, state: 'completed', text: 'one', usage }]),
      batches.finishLines(id, [{ number: 2, state: 'failed', text: 'two', usage }]),
      batches.finishLines(id, [{ number: 2, state: 'completed', text: 'two again' }]),
    ]);
    await batches.finishLines(id, [
      { number: 1, state: 'failed', text: 'one again' },
      { number: 3, state: 'expired', text: 'three' },
      { number: 4, state: 'cancelled' },
      { number: 6, state: 'completed', text: 'unknown' },
    ]);
    expect(batches.nextLines(id, 9).map(({ number }) => number)).toEqual([5]);
    batches.transition(id, 'cancelling');
    const ended = batches.transition(id, 'cancelled');
    expect(finished(ended)).toEqual({ total: 5, completed: 1, failed: 1, expired: 1, cancelled: 1 });
    expect(ended?.usage).toEqual({ inputTokens: 10, cachedTokens: 2, outputTokens: 14, reasoningTokens: 4 });
    expect(await readText(test.store, ended?.outputFileId)).toBe('one\n');
    expect(await readText(test.store, ended?.errorFileId)).toBe('two\nthree\n');
  });

  it('become files of the owner when the batch ends, which expire with its wish', async () => {
    await using test = await openTestStore();
    const { batches, files } = test.store;
    const { id } = await createRunningBatch(test.store, 1);
    await batches.finishLines(id, [{ number: 1, state: 'completed', text: 'one' }]);
    const before = files.list('app', { limit: 9, order: 'asc', purpose: 'batch_output' });
    expect(before).toEqual({ files: [], hasMore: false });
    batches.transition(id, 'finalizing');
    const ended = batches.transition(id, 'completed');
    expect(ended?.errorFileId).toBeNull();
    const output = files.get('app', ended?.outputFileId ?? '');
    expect(output).toMatchObject({ filename: `${id}_output.jsonl`, purpose: 'batch_output', bytes: 4 });
  });

  it('of a batch that has ended or was purged are dropped', async () => {
    await using test = await openTestStore();
    const { batches } = test.store;
    const ended = await createRunningBatch(test.store, 1);
    const purged = await createRunningBatch(test.store, 1);
    const result = [{ number: 1, state: 'completed' as const, text: 'late' }];
    const late = batches.finishLines(ended.id, result);
    batches.transition(ended.id, 'failed');
    await late;
    expect(batches.get('app', ended.id)).toMatchObject({ outputFileId: null, counts: { completed: 0 } });
    await test.store.purge({});
    await batches.finishLines(purged.id, result);
    expect(test.store.usage()).toEqual({ files: 0, ...noResponses, bytes: 0 });
  });
});
