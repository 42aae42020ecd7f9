import { fork } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { withFileLock } from '../fs/file-lock.ts';
import { killChild } from '../test/harness/child-processes.ts';
import { openTestStore } from '../test/harness/open-test-store.ts';
import { createBatch, storeFile } from '../test/harness/stored-batch.ts';

it('a runner whose batches another one runs does not keep its deployment awake, and takes over', async () => {
  await using test = await openTestStore({ role: 'gateway' });
  await using ended = new AsyncDisposableStack();
  const { id: inputFileId } = await storeFile(test.store, 'a line');
  await createBatch(test.store, { inputFileId });
  const messages: unknown[] = [];
  await withFileLock(join(test.folder, 'runner.lock'), async () => {
    const runner = fork(join(import.meta.dirname, 'main.ts'), {
      env: { DATA_DIR: test.folder, STORE: 'on', RUNNER_KEY: 'sk', PORT: '1', LOG_LEVEL: 'error' },
    });
    ended.defer(() => killChild(runner));
    runner.on('message', (message) => messages.push(message));
    await expect.poll(() => messages, { timeout: 60_000 }).toEqual([{ hasJobs: false }]);
  });
  await expect.poll(() => messages, { timeout: 60_000 }).toContainEqual({ hasJobs: true });
});
