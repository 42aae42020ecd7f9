import { describe, expect, it } from 'vitest';
import { openTestStore, type TestStore } from '../../test/harness/open-test-store.ts';
import { runInProcess } from '../../test/harness/run-corral.ts';
import { noResponses, saveTurn, userMessage } from '../../test/harness/stored-responses.ts';
import { temporaryFolder } from '../../test/harness/temporary-folder.ts';
import { purgeQuestion, responsesQuestion } from './purge.ts';
import { storeCommand } from './store-command.ts';

const corralStoreIn =
  (folder: string, more: Record<string, string> = {}) =>
  (...args: string[]) =>
    runInProcess(storeCommand(), args, { DATA_DIR: folder, STORE_KEY: undefined, ...more });

async function addFile({ store }: TestStore, owner: string, bytes: number): Promise<string> {
  await using writer = await store.files.create({
    ...{ owner, filename: 'in.jsonl', purpose: 'batch', expiresAt: null },
  });
  await writer.write(Buffer.alloc(bytes));
  return (await writer.commit()).id;
}

async function addBatch(test: TestStore, owner: string): Promise<void> {
  test.store.batches.create({
    ...{ owner, dialect: 'openai', endpoint: '/v1/embeddings' },
    inputFileId: await addFile(test, owner, 10),
    ...{ metadata: null, outputExpiresAfter: null },
  });
}

describe('corral store usage', () => {
  it('shows what each key has stored', async () => {
    await using test = await openTestStore();
    await addFile(test, 'app', 3 * 1024 ** 2);
    await addFile(test, '', 1024 ** 2);
    const store = corralStoreIn(test.folder, { STORE_MAX_SIZE: '2GiB' });
    const { stdout, stderr } = await store('usage');
    expect(stdout).toMatch(/^KEY +FILES +RESPONSES +CONVERSATIONS +SIZE$/m);
    expect(stdout).toMatch(/^\(no key\) +1 +0 +0 +1\.0 MiB$/m);
    expect(stdout).toMatch(/^app +1 +0 +0 +3\.0 MiB$/m);
    expect(stderr).toBe(
      `2 files, 0 responses, 0 conversations: 4.0 MiB of 2.0 GiB (STORE_MAX_SIZE) in ${test.folder}`,
    );
    expect(JSON.parse((await store('usage', '--owner', 'app', '--json')).stdout)).toEqual({
      owners: [{ owner: 'app', files: 1, ...noResponses, bytes: 3 * 1024 ** 2 }],
      total: { files: 2, ...noResponses, bytes: 4 * 1024 ** 2 },
      limit: 2 * 1024 ** 3,
    });
  });

  it('without a store is an error', async () => {
    await using folder = await temporaryFolder();
    expect(await corralStoreIn(folder.path)('usage')).toMatchObject({
      status: 1,
      stderr: `error: there is no store in ${folder.path}`,
    });
  });
});

describe('corral store purge', () => {
  it('removes what one key has stored, and says how much', async () => {
    await using test = await openTestStore();
    await addFile(test, 'app', 2 * 1024 ** 2);
    await addBatch(test, 'app');
    const other = await addFile(test, 'other', 5);
    const filesOnly = test.store.usage('app').bytes;
    saveTurn(test.store, 'hello', { owner: 'app' });
    test.store.conversations.create('app', [{ item: userMessage('hello') }], {});
    const stored = test.store.usage('app').bytes - filesOnly;
    const otherResponse = saveTurn(test.store, 'hello', { owner: 'other' });
    const outcome = await corralStoreIn(test.folder)('purge', '--owner', 'app', '--yes', '--json');
    expect(outcome.stderr).toBe('Removed 2 files, 1 batch, 1 response and 1 conversation: 2.0 MiB.');
    const counts = { files: 2, batches: 1, responses: 1, conversations: 1 };
    expect(JSON.parse(outcome.stdout)).toEqual({ ...counts, bytes: 2 * 1024 ** 2 + 10 + stored });
    expect(test.store.responses.get('other', otherResponse)).toBeDefined();
    expect(test.store.files.get('other', other)).toBeDefined();
    expect(test.store.usage('app')).toEqual({ files: 0, ...noResponses, bytes: 0 });
  });

  it('with --older-than leaves what is newer', async () => {
    await using test = await openTestStore();
    await addFile(test, 'app', 5);
    const outcome = await corralStoreIn(test.folder)('purge', '--older-than', '7d', '--yes');
    expect(outcome).toMatchObject({
      status: 0,
      stderr: 'Removed 0 files, 0 batches, 0 responses and 0 conversations: 0.0 MiB.',
    });
  });

  it('says before what it would remove', async () => {
    await using test = await openTestStore();
    await addFile(test, 'app', 2 * 1024 ** 2);
    await addBatch(test, 'app');
    saveTurn(test.store, 'hello', { owner: 'other' });
    const inTheFuture = Date.UTC(2100, 0) / 1000;
    const question = (scope: object) => purgeQuestion(test.store, scope);
    expect(question({ before: inTheFuture })).toMatch(
      /^Remove 1 file, 0 batches, 1 response and 0 conversations from before 2100-01-01 .*\(files: 2\.0 MiB\)$/,
    );
    expect(question({ owner: 'app', before: 0 })).toMatch(
      /^Remove 0 files, 0 batches, 0 responses and 0 conversations of key "app" from before 1970/,
    );
    expect(question({ owner: 'app' })).toBe(
      'Remove 2 files, 1 batch, 0 responses and 0 conversations of key "app" (2.0 MiB, also 1 batch that has not ended)',
    );
    expect(responsesQuestion(test.store, { owner: 'other' })).toBe(
      'Remove 1 response and 0 conversations of key "other"',
    );
    expect(responsesQuestion(test.store, { before: 0 })).toMatch(
      /^Remove 0 responses and 0 conversations from before 1970/,
    );
  });

  it('with --all empties a store whose key is lost', async () => {
    await using test = await openTestStore({ key: Buffer.alloc(32, 1) });
    await addFile(test, 'app', 5);
    await addBatch(test, 'other');
    saveTurn(test.store, 'hello');
    const outcome = await corralStoreIn(test.folder)('purge', '--all', '--yes');
    expect(outcome).toMatchObject({
      status: 0,
      stderr: 'Removed 2 files, 1 batch, 1 response and 0 conversations: 0.0 MiB.',
    });
    expect(test.store.usage()).toEqual({ files: 0, ...noResponses, bytes: 0 });
  });

  it.each([
    [['purge'], 'say what to remove: --owner ID, --older-than 7d, or --all'],
    [['purge', '--all', '--owner', 'app'], "cannot be used with option '--owner <id>'"],
    [['purge', '--older-than', '7'], 'It must be a duration with a unit'],
    [['usage', '--owner', 'a b'], 'is invalid. It'],
  ])('%j is a usage error', async (args, message) => {
    await using test = await openTestStore();
    expect(await corralStoreIn(test.folder)(...args)).toMatchObject({
      status: 2,
      stderr: expect.stringContaining(message),
    });
  });
});
