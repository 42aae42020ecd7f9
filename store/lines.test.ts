import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openTestStore } from '../test/harness/open-test-store.ts';
import { createBatch, newLines } from '../test/harness/stored-batch.ts';
import type { Line } from './batch-line.ts';
import { storeFileName } from './store.ts';

describe('the lines of a batch', () => {
  it('come in the order of their sort keys, those with the same key in the order of the file', async () => {
    await using test = await openTestStore();
    const { batches } = test.store;
    const { id } = await createBatch(test.store);
    const keys = ['b', 'a', 'b', 'ab', 'a'];
    const lines = newLines(1, 5).map((line, index) => ({ ...line, sortKey: Buffer.from(keys[index] ?? '') }));
    expect(batches.addLines(id, lines)).toEqual([]);
    const numbers = (limit: number, after?: Line) =>
      batches.nextLines(id, limit, { after }).map(({ number }) => number);
    expect(numbers(9)).toEqual([2, 5, 4, 1, 3]);
    expect(numbers(2)).toEqual([2, 5]);
    expect(numbers(9, batches.nextLines(id, 4).at(-1))).toEqual([3]);
    await batches.finishLines(id, [{ number: 5, state: 'failed' }]);
    expect(numbers(2)).toEqual([2, 4]);
    const [first] = batches.nextLines(id, 1);
    expect({ ...first, sortKey: String.fromCharCode(...(first?.sortKey ?? [])) }).toEqual({
      ...{ number: 2, offset: 100, length: 99, sortKey: 'a' },
    });
  });

  it('of one model come without those of others', async () => {
    await using test = await openTestStore();
    const { batches } = test.store;
    const { id } = await createBatch(test.store, { dialect: 'anthropic' });
    const models = [undefined, 'b', '', 'b', undefined];
    const inOrder = (line: Line, model: string | undefined) => ({
      ...{ ...line, sortKey: Buffer.of(line.number), customId: `${line.number}`, model },
    });
    batches.addLines(
      id,
      newLines(1, 5).map((line, index) => inOrder(line, models[index])),
    );
    const numbers = (model: string | null, after?: Line) =>
      batches.nextLines(id, 9, { model, after }).map(({ number }) => number);
    expect(batches.modelsOfLines(id).toSorted()).toEqual(['', 'b', null]);
    expect([numbers(null), numbers('b'), numbers('')]).toEqual([[1, 5], [2, 4], [3]]);
    expect(numbers(null, batches.nextLines(id, 1)[0])).toEqual([5]);
    await batches.finishLines(id, [{ number: 3, state: 'failed' }]);
    expect(batches.modelsOfLines(id).toSorted()).toEqual(['b', null]);
  });

  it('have each custom id once, of whatever code units', async () => {
    await using test = await openTestStore();
    const { id } = await createBatch(test.store);
    const ids = ['\ud800', '\ud801', '\ufffd', 'é', 'e\u0301', '\ud83d\ude00', '\ud800'];
    const lines = newLines(1, 7).map((line, index) => ({ ...line, customId: ids[index] ?? '' }));
    expect(test.store.batches.addLines(id, lines)).toEqual([7]);
  });

  it('have each custom id once; another batch may have the same', async () => {
    await using test = await openTestStore();
    const { batches } = test.store;
    const [first, second] = [await createBatch(test.store), await createBatch(test.store)];
    expect(batches.addLines(first.id, newLines(1, 3))).toEqual([]);
    const again = newLines(4, 2).map((line, index) => ({ ...line, customId: `request-${index + 3}` }));
    expect(batches.addLines(first.id, again)).toEqual([4]);
    expect(batches.addLines(second.id, newLines(1, 3))).toEqual([]);
    expect(batches.get('app', first.id)?.counts.total).toBe(4);
    batches.clearLines(first.id);
    expect(batches.get('app', first.id)?.counts.total).toBe(0);
    expect(batches.nextLines(second.id, 9)).toHaveLength(3);
    expect(batches.addLines(first.id, newLines(1, 3))).toEqual([]);
  });

  it('of a message batch are counted before they are read, and no less while they are read', async () => {
    await using test = await openTestStore();
    const { batches } = test.store;
    const { id } = await createBatch(test.store, { dialect: 'anthropic', lines: 5 });
    const total = () => batches.get('app', id)?.counts.total;
    expect(total()).toBe(5);
    batches.clearLines(id);
    expect(total()).toBe(5);
    batches.addLines(id, newLines(1, 3));
    batches.addLines(id, newLines(4, 2));
    expect(total()).toBe(5);
  });

  it('leave no custom id in the database', async () => {
    await using test = await openTestStore();
    const { id } = await createBatch(test.store);
    test.store.batches.addLines(id, newLines(1, 3));
    const written = ['', '-wal'].map((end) => readFileSync(join(test.folder, storeFileName + end), 'latin1'));
    expect(written.join()).toContain(id);
    expect(written.join()).not.toContain('request-1');
  });

  it('can be 50,000, which are added, read and finished in parts', async () => {
    await using test = await openTestStore();
    const { batches } = test.store;
    const { id } = await createBatch(test.store);
    for (let first = 1; first <= 50_000; first += 1000)
      expect(batches.addLines(id, newLines(first, 1000))).toEqual([]);
    batches.transition(id, 'in_progress');
    const seen = new Set<number>();
    for (let page = batches.nextLines(id, 500); page.length > 0; page = batches.nextLines(id, 500)) {
      for (const { number } of page) seen.add(number);
      await batches.finishLines(
        id,
        page.map(({ number }) => ({ number, state: 'completed', text: `${number}` })),
      );
    }
    expect(seen.size).toBe(50_000);
    expect(batches.get('app', id)?.counts).toMatchObject({ total: 50_000, completed: 50_000 });
  });
});
