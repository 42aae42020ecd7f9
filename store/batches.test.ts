import { describe, expect, it } from 'vitest';
import { openTestStore } from '../test/harness/open-test-store.ts';
import type { NewBatch } from './batches.ts';
import type { Store } from './store.ts';

async function storeInput(store: Store, owner = 'app') {
  await using writer = await store.files.create({
    owner,
    filename: 'in.jsonl',
    purpose: 'batch',
    expiresAt: null,
  });
  await writer.write(Buffer.from('{"custom_id":"a"}\n{"custom_id":"b"}\n'));
  return writer.commit();
}

async function newBatch(store: Store, changes: Partial<NewBatch> = {}): Promise<NewBatch> {
  const { id } = await storeInput(store);
  return {
    owner: 'app',
    dialect: 'openai',
    endpoint: '/v1/chat/completions',
    inputFileId: id,
    metadata: { day: '1' },
    outputExpiresAfter: null,
    ...changes,
  };
}

describe('a batch', () => {
  it('runs from its creation to its result files', async () => {
    await using test = await openTestStore();
    const { batches, files } = test.store;
    const created = batches.create(await newBatch(test.store));
    if (typeof created === 'string') throw new Error(created);
    const { id } = created.batch;
    expect(created).toMatchObject({ created: true, batch: { status: 'validating', outputFileId: null } });
    const lines = ['a', 'b', 'a'].map((customId, index) => ({
      number: index + 1,
      offset: index * 18,
      length: 17,
      customId,
      sortKey: Buffer.from([9 - index]),
    }));
    expect(batches.addLines(id, lines)).toEqual([3]);
    expect(batches.transition(id, 'in_progress', { model: 'demo' })).toMatchObject({
      status: 'in_progress',
      model: 'demo',
      counts: { total: 2 },
    });
    expect(batches.nextLines(id, 9).map(({ number }) => number)).toEqual([2, 1]);
    await Promise.all([
      batches.finishLines(id, [{ number: 1, state: 'completed', text: 'one' }]),
      batches.finishLines(id, [{ number: 2, state: 'failed', text: 'two' }]),
      batches.finishLines(id, [{ number: 2, state: 'completed', text: 'again' }]),
    ]);
    batches.transition(id, 'finalizing');
    const ended = batches.transition(id, 'completed');
    expect(ended).toMatchObject({ status: 'completed', counts: { completed: 1, failed: 1 } });
    expect(String(await files.readBytes(ended?.outputFileId ?? '', { offset: 0, length: 99 }))).toBe('one\n');
    expect(String(await files.readBytes(ended?.errorFileId ?? '', { offset: 0, length: 99 }))).toBe('two\n');
  });
});
