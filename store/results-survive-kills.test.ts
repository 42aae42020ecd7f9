import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { cacheFolder, projectFolder } from '../scripts/project-folders.ts';
import { openTestStore, type TestStore } from '../test/harness/open-test-store.ts';
import { createRunningBatch, readText } from '../test/harness/stored-batch.ts';
import { waitFor } from '../test/harness/wait-for.ts';

const LINES = 1500;
const KILLS = 8;
/** Of each result, in characters. */
const SIZE = 2000;

const numberOf = (line: string) => Number(line.split(':', 1)[0]);

const startWriter = ({ folder, config }: TestStore, batchId: string): ChildProcess =>
  spawn(
    process.execPath,
    [join(projectFolder, 'test/harness/programs/use-store.ts'), 'finish', batchId, `${SIZE}`],
    {
      env: {
        NODE_COMPILE_CACHE: join(cacheFolder, 'node'),
        DATA_DIR: folder,
        ...(config.key && { STORE_KEY: config.key.toString('hex') }),
      },
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );

it.each([
  ['plain', undefined],
  ['encrypted', randomBytes(32)],
])('each line has one result, as it was written, however often the writer is killed (%s)', async (_, key) => {
  await using test = await openTestStore({ key, role: 'gateway' });
  const { batches } = test.store;
  const { id } = await createRunningBatch(test.store, LINES);
  const finished = () => {
    const { completed = 0, failed = 0 } = batches.get('app', id)?.counts ?? {};
    return completed + failed;
  };
  for (let kill = 0; kill < KILLS; kill++) {
    const writer = startWriter(test, id);
    const exited = once(writer, 'exit');
    // On a busy machine, a writer gets further before its kill: the last ones may find little left.
    const enough = Math.min(finished() + randomInt(1, 150), LINES);
    await waitFor('more results', () => finished() >= enough, { every: 1 });
    writer.kill('SIGKILL');
    await exited;
  }
  const last = startWriter(test, id);
  expect(await once(last, 'exit')).toEqual([0, null]);
  batches.transition(id, 'finalizing');
  const ended = batches.transition(id, 'completed');
  const numbers = Array.from({ length: LINES }, (_, index) => index + 1);
  const expected = (isFailed: boolean) =>
    numbers
      .filter((number) => (number % 5 === 0) === isFailed)
      .map((number) => `${number}:`.padEnd(SIZE, 'x'));
  const lines = async (file: string | null | undefined) =>
    (await readText(test.store, file))
      .trimEnd()
      .split('\n')
      .sort((a, b) => numberOf(a) - numberOf(b));
  expect(await lines(ended?.outputFileId)).toEqual(expected(false));
  expect(await lines(ended?.errorFileId)).toEqual(expected(true));
  expect(ended?.counts).toMatchObject({ completed: (LINES * 4) / 5, failed: LINES / 5 });
});
