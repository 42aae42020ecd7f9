import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import { cacheFolder, projectFolder } from '../scripts/project-folders.ts';
import { openTestStore, type TestStore } from '../test/harness/open-test-store.ts';
import { createInBackground, textsOf } from '../test/harness/stored-responses.ts';
import { waitFor } from '../test/harness/wait-for.ts';

const KILLS = 6;
const SIZE = 3000;
const EVENTS = 3000;

const useStore = ({ folder, config }: TestStore, ...args: readonly string[]): ChildProcess =>
  spawn(process.execPath, [join(projectFolder, 'test/harness/programs/use-store.ts'), ...args], {
    env: {
      NODE_COMPILE_CACHE: join(cacheFolder, 'node'),
      DATA_DIR: folder,
      ...(config.key && { STORE_KEY: config.key.toString('hex') }),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });

async function kill(child: ChildProcess): Promise<void> {
  // On a busy machine it may have come to its end.
  if (child.exitCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'close');
}

describe.each([
  ['plain', undefined],
  ['encrypted', randomBytes(32)],
])('after a kill (%s)', (_, key) => {
  it('each response that was stored is whole, with its history', async () => {
    await using test = await openTestStore({ key, role: 'gateway' });
    let stored = 0;
    for (let round = 0; round < KILLS; round++) {
      const child = useStore(test, 'turns', '100000', `${SIZE}`);
      const ids: string[] = [];
      createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (id) => ids.push(id));
      const enough = randomInt(1, 60);
      await waitFor('stored responses', () => ids.length >= enough, { every: 1 });
      await kill(child);
      const { responses } = test.store;
      const turn = (number: number) => `${number}:`.padEnd(SIZE, 'x');
      const expected = ids.flatMap((_, number) => [turn(number), turn(number).toUpperCase()]);
      expect(textsOf(responses.historyBackwards('app', { previousId: ids.at(-1) ?? '' }))).toEqual(expected);
      // One more may have been stored than was told.
      const { responses: count } = test.store.usage();
      expect([ids.length, ids.length + 1]).toContain(count - stored);
      stored = count;
    }
    await test.store.purge({});
    expect(test.store.usage()).toMatchObject({ responses: 0, bytes: 0 });
  });

  it('the events of a background response go on without gap or repeat', async () => {
    await using test = await openTestStore({ key, role: 'gateway' });
    const { responses } = test.store;
    const { id } = createInBackground(test.store, 'a');
    const count = () => responses.eventsAfter(id, -1, EVENTS).length;
    const has = (sequence: number) => responses.eventsAfter(id, sequence - 1, 1).length > 0;
    for (let round = 0; round < KILLS; round++) {
      const last = Math.min(count() + randomInt(90), EVENTS - 1);
      const child = useStore(test, 'events', id, `${EVENTS}`);
      await waitFor('more events', () => has(last), { every: 1 });
      await kill(child);
    }
    const last = useStore(test, 'events', id, `${EVENTS}`);
    expect(await once(last, 'exit')).toEqual([0, null]);
    const expected = Array.from({ length: EVENTS }, (_, sequence) => ({
      sequence,
      text: `event ${sequence}`,
    }));
    expect(responses.eventsAfter(id, -1, EVENTS + 9)).toEqual(expected);
  });
});
