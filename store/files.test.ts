import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openTestStore } from '../test/harness/open-test-store.ts';
import { createBatch, readText, storeFile } from '../test/harness/stored-batch.ts';
import { storeFileName } from './store.ts';
import type { StoredFile } from './stored-file.ts';

const newFile = { owner: 'app', filename: 'a.jsonl', purpose: 'batch', expiresAt: null };
const contentsOf = (folder: string) => readdirSync(join(folder, 'files'));

describe.each([
  ['plain', undefined],
  ['encrypted', randomBytes(32)],
])('the content of a %s file', (_, key) => {
  it('is what was written, whatever the sizes of its chunks are', async () => {
    await using test = await openTestStore({ key });
    const { files } = test.store;
    const chunks = fc.array(fc.integer({ min: 0, max: 200_000 }), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(chunks, async (sizes) => {
        const content = randomBytes(sizes.reduce((sum, size) => sum + size, 0));
        await using writer = await files.create(newFile);
        let at = 0;
        for (const size of sizes) {
          await writer.write(content.subarray(at, at + size));
          at += size;
        }
        const { id, bytes } = await writer.commit();
        expect(bytes).toBe(content.length);
        expect(content.equals(Buffer.concat(await files.read(id).toArray()))).toBe(true);
      }),
      { numRuns: 20 },
    );
  });

  it('can be read in any range', async () => {
    await using test = await openTestStore({ key });
    const content = randomBytes(3 * 65_536 + 100);
    const { id } = await storeFile(test.store, content);
    const place = fc.oneof(fc.nat(content.length + 10), fc.constantFrom(65_535, 65_536, 131_072, 196_608));
    await fc.assert(
      fc.asyncProperty(place, place, async (offset, length) => {
        const read = await test.store.files.readBytes(id, { offset, length });
        expect(read.equals(content.subarray(offset, offset + length))).toBe(true);
      }),
    );
  });
});

describe('a file', () => {
  it('exists when it is committed; what is not committed leaves nothing', async () => {
    await using test = await openTestStore();
    const { files } = test.store;
    {
      await using writer = await files.create(newFile);
      await writer.write(Buffer.from('some'));
      expect(contentsOf(test.folder)).toHaveLength(1);
      expect(files.list('app', { limit: 9, order: 'asc' })).toEqual({ files: [], hasMore: false });
    }
    expect(contentsOf(test.folder)).toEqual([]);
    const file = await storeFile(test.store, 'all');
    expect(files.get('app', file.id)).toEqual(file);
  });

  it('takes what became known while it was written', async () => {
    await using test = await openTestStore();
    await using writer = await test.store.files.create(newFile);
    const file = await writer.commit({ filename: 'b.jsonl', purpose: 'user_data' });
    expect(file).toMatchObject({ filename: 'b.jsonl', purpose: 'user_data', owner: 'app', bytes: 0 });
  });

  it('of another owner is unknown', async () => {
    await using test = await openTestStore();
    const { files } = test.store;
    const { id } = await storeFile(test.store, 'x');
    expect(files.get('other', id)).toBeUndefined();
    expect(files.delete('other', id)).toBe(false);
    expect(files.list('other', { limit: 9, order: 'asc' })).toEqual({ files: [], hasMore: false });
    expect(files.list('other', { limit: 9, order: 'asc', after: id })).toBe('unknown-after');
    expect(files.get('app', id)).toBeDefined();
  });

  it('is gone when it has expired: at its own time, or at the end of the retention', async () => {
    await using test = await openTestStore({ retention: 1000 });
    const { files } = test.store;
    const now = Math.floor(Date.now() / 1000);
    const expired = await storeFile(test.store, 'x', { expiresAt: now });
    const own = await storeFile(test.store, 'x', { expiresAt: now + 5000 });
    const common = await storeFile(test.store, 'x');
    expect(files.get('app', expired.id)).toBeUndefined();
    expect(files.get('app', own.id)?.expiresAt).toBe(now + 5000);
    expect(common.expiresAt).toBe(common.createdAt + 1000);
    expect(files.list('app', { limit: 9, order: 'asc' })).toEqual({ files: [own, common], hasMore: false });
  });

  it('is listed in pages of any size, in both orders and by purpose', async () => {
    await using test = await openTestStore();
    const { files } = test.store;
    const all: StoredFile[] = [];
    for (let index = 0; index < 12; index++)
      all.push(await storeFile(test.store, 'x', { purpose: index % 3 === 0 ? 'batch' : 'vision' }));
    await storeFile(test.store, 'x', { owner: 'other' });
    const order = fc.constantFrom('asc' as const, 'desc' as const);
    const purpose = fc.constantFrom(undefined, 'batch', 'vision', 'evals');
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 13 }), order, purpose, async (limit, order, purpose) => {
        const wanted = all.filter((file) => purpose === undefined || file.purpose === purpose);
        const listed: StoredFile[] = [];
        for (let hasMore = true; hasMore; ) {
          const page = files.list('app', { limit, order, purpose, after: listed.at(-1)?.id });
          if (page === 'unknown-after') throw new Error(page);
          if (page.hasMore) expect(page.files).toHaveLength(limit);
          listed.push(...page.files);
          hasMore = page.hasMore;
        }
        expect(listed).toEqual(order === 'asc' ? wanted : wanted.toReversed());
      }),
    );
  });

  it.each(['asc', 'desc'] as const)(
    'lists (%s) go on behind a file that is gone meanwhile',
    async (order) => {
      await using test = await openTestStore();
      const { files } = test.store;
      for (let index = 0; index < 5; index++) await storeFile(test.store, 'x');
      const all = files.list('app', { limit: 9, order: 'asc' });
      if (all === 'unknown-after') throw new Error(all);
      const ids = all.files.map(({ id }) => id);
      const wanted = order === 'asc' ? ids : ids.toReversed();
      const seen: string[] = [];
      for (let after: string | undefined; seen.length < 5; after = seen.at(-1)) {
        const page = files.list('app', { limit: 2, order, after });
        if (page === 'unknown-after') throw new Error(page);
        for (const { id } of page.files) {
          seen.push(id);
          files.delete('app', id);
        }
      }
      expect(seen).toEqual(wanted);
      const last = ids[4];
      expect(files.list('other', { limit: 9, order, after: last })).toBe('unknown-after');
      // A new file is behind all of them.
      const { id } = await storeFile(test.store, 'x');
      const behind = files.list('app', { limit: 9, order, after: last });
      expect(behind).toMatchObject({ files: order === 'asc' ? [{ id }] : [] });
    },
  );

  it('that is gone is remembered until twenty thousand others are', async () => {
    await using test = await openTestStore();
    const { files } = test.store;
    const [first, second] = [await storeFile(test.store, 'x'), await storeFile(test.store, 'x')];
    files.delete('app', first.id);
    files.delete('app', second.id);
    using db = new DatabaseSync(join(test.folder, storeFileName));
    db.exec(`WITH RECURSIVE many(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM many WHERE k < 19999)
      INSERT INTO files (id, owner, filename, purpose, bytes, created_at, appended)
      SELECT 'file-' || k, 'other', 'f', 'batch', 0, 0, 0 FROM many;
      DELETE FROM files`);
    const list = (after: string) => files.list('app', { limit: 9, order: 'desc', after });
    expect(list(second.id)).toEqual({ files: [], hasMore: false });
    expect(list(first.id)).toBe('unknown-after');
    await test.store.purge({ owner: 'app' });
    expect(list(second.id)).toBe('unknown-after');
  });

  it('that a batch reads is gone for its owner, and stays for the batch until it has ended', async () => {
    await using test = await openTestStore();
    const { store } = test;
    const { id } = await storeFile(store, 'lines');
    const first = await createBatch(store, { inputFileId: id });
    const second = await createBatch(store, { inputFileId: id });
    expect(store.files.delete('app', id)).toBe(true);
    expect(store.files.delete('app', id)).toBe(false);
    expect(store.files.get('app', id)).toBeUndefined();
    store.batches.transition(first.id, 'failed');
    expect(await readText(store, id)).toBe('lines');
    store.batches.transition(second.id, 'failed');
    await expect(readText(store, id)).rejects.toThrow(`there is no ${id}`);
    expect(contentsOf(test.folder)).toEqual([]);
  });
});
