import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openTestStore, type TestStore } from '../test/harness/open-test-store.ts';
import { createRunningBatch, readText, storeFile } from '../test/harness/stored-batch.ts';
import { ContentError } from './errors.ts';

const FRAME_ON_DISK = 65_536 + 32;

const pathOf = (test: TestStore, id: string) => join(test.folder, 'files', id);

/** A file of three frames, the last one not full. */
const storeFrames = (test: TestStore) => storeFile(test.store, randomBytes(150_000));

describe('encrypted content', () => {
  it('is not on disk as plaintext, neither of files nor of results', async () => {
    await using test = await openTestStore({ key: randomBytes(32) });
    const { id } = await storeFile(test.store, 'a prompt with a secret in it');
    const batch = await createRunningBatch(test.store, 1);
    await test.store.batches.finishLines(batch.id, [
      { number: 1, state: 'completed', text: 'a secret answer' },
    ]);
    test.store.batches.transition(batch.id, 'finalizing');
    const ended = test.store.batches.transition(batch.id, 'completed');
    for (const file of [id, ended?.outputFileId ?? ''])
      expect(readFileSync(pathOf(test, file), 'latin1')).not.toContain('secret');
    expect(await readText(test.store, ended?.outputFileId)).toBe('a secret answer\n');
  });

  it('with any changed byte is an error', async () => {
    await using test = await openTestStore({ key: randomBytes(32) });
    const { id } = await storeFrames(test);
    const path = pathOf(test, id);
    const written = readFileSync(path);
    const text = await readText(test.store, id);
    await fc.assert(
      fc.asyncProperty(fc.nat(written.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const changed = Buffer.from(written);
        changed[at] = (changed[at] ?? 0) ^ change;
        writeFileSync(path, changed);
        await expect(readText(test.store, id)).rejects.toThrow(ContentError);
      }),
    );
    writeFileSync(path, written);
    expect(await readText(test.store, id)).toBe(text);
  });

  it('is an error with frames of another place or of another file', async () => {
    await using test = await openTestStore({ key: randomBytes(32) });
    const [mine, other] = [await storeFrames(test), await storeFrames(test)];
    const written = readFileSync(pathOf(test, mine.id));
    const frame = (index: number) => written.subarray(index * FRAME_ON_DISK, (index + 1) * FRAME_ON_DISK);
    writeFileSync(pathOf(test, mine.id), Buffer.concat([frame(1), frame(0), frame(2)]));
    await expect(readText(test.store, mine.id)).rejects.toThrow(`${mine.id} was changed on disk`);
    writeFileSync(pathOf(test, other.id), written);
    await expect(readText(test.store, other.id)).rejects.toThrow(`${other.id} was changed on disk`);
  });

  it('of results can be read in any range', async () => {
    await using test = await openTestStore({ key: randomBytes(32) });
    const { id } = await createRunningBatch(test.store, 30);
    const texts = Array.from({ length: 30 }, (_, index) => String(index).repeat(index ** 3));
    for (const [index, text] of texts.entries())
      await test.store.batches.finishLines(id, [{ number: index + 1, state: 'completed', text }]);
    test.store.batches.transition(id, 'finalizing');
    const output = test.store.batches.transition(id, 'completed')?.outputFileId ?? '';
    const content = `${texts.join('\n')}\n`;
    expect(await readText(test.store, output)).toBe(content);
    const place = fc.nat(content.length + 10);
    await fc.assert(
      fc.asyncProperty(place, place, async (offset, length) => {
        const read = await test.store.files.readBytes(output, { offset, length });
        expect(String(read)).toBe(content.slice(offset, offset + length));
      }),
    );
  });
});

describe.each([
  ['plain', undefined],
  ['encrypted', randomBytes(32)],
])('%s content', (_, key) => {
  it('that is too short or missing is an error, after what is there', async () => {
    await using test = await openTestStore({ key });
    const { id } = await storeFrames(test);
    const path = pathOf(test, id);
    truncateSync(path, 2 * FRAME_ON_DISK);
    const pieces: Buffer[] = [];
    const read = async () => {
      for await (const piece of test.store.files.read(id)) pieces.push(piece);
    };
    await expect(read()).rejects.toThrow(`${id} ends on disk at byte`);
    expect(Buffer.concat(pieces).length).toBeGreaterThanOrEqual(2 * 65_536);
    rmSync(path);
    await expect(readText(test.store, id)).rejects.toThrow(`${id} is missing on disk`);
    await expect(test.store.files.readBytes(id, { offset: 0, length: 9 })).rejects.toThrow(ContentError);
  });
});
