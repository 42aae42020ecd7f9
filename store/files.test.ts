import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { openTestStore } from '../test/harness/open-test-store.ts';

const newFile = { owner: 'app', filename: 'a.jsonl', purpose: 'batch', expiresAt: null };

describe.each([
  ['plain', undefined],
  ['encrypted', randomBytes(32)],
])('files, %s', (_, key) => {
  it('are read as they were written', async () => {
    await using test = await openTestStore({ key });
    const text = randomBytes(300_000);
    await using writer = await test.store.files.create(newFile);
    for (let at = 0; at < text.length; at += 7001) await writer.write(text.subarray(at, at + 7001));
    const file = await writer.commit();
    expect(file).toMatchObject({ owner: 'app', filename: 'a.jsonl', purpose: 'batch', bytes: text.length });
    expect(test.store.files.get('app', file.id)).toEqual(file);
    expect(Buffer.concat(await test.store.files.read(file.id).toArray())).toEqual(text);
    expect(await test.store.files.readBytes(file.id, { offset: 131_000, length: 70_000 })).toEqual(
      text.subarray(131_000, 201_000),
    );
  });
});
