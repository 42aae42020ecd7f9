/**
 * Uses the store of `DATA_DIR` as a process of its own: `open [USER]`, as the user with this number; `upload BYTES`; `add BATCH LINES`; `finish BATCH SIZE`,
 * which gives each line a result of so many characters; `turns COUNT SIZE`, each of which continues the one before; it
 * prints the id of each; `events RESPONSE COUNT`. Prints `done`, or the name and the reason of the error.
 */
import { readSettings } from '../../../settings/read-settings.ts';
import { storeConfig } from '../../../store/config.ts';
import { StoreUnavailable } from '../../../store/errors.ts';
import { openStore, type Store } from '../../../store/store.ts';
import { newLines, storeFile } from '../stored-batch.ts';
import { saveTurn } from '../stored-responses.ts';

const [, , action, ...args] = process.argv;

async function run(store: Store): Promise<void> {
  const [first = '', second] = args;
  if (action === 'upload') await storeFile(store, Buffer.alloc(Number(first)));
  if (action === 'add') store.batches.addLines(first, newLines(1, Number(second)));
  if (action === 'turns') saveTurns(store, Number(first), Number(second));
  if (action === 'events') appendEvents(store, first, Number(second));
  if (action === 'finish') await finish(store, first, Number(second));
}

function saveTurns(store: Store, count: number, size: number): void {
  let previousId: string | undefined;
  for (let turn = 0; turn < count; turn++) {
    previousId = saveTurn(store, `${turn}:`.padEnd(size, 'x'), { previousId });
    console.log(previousId);
  }
}

/** A few at a time. */
function appendEvents({ responses }: Store, id: string, count: number): void {
  const next = (responses.eventsAfter(id, -1, count).at(-1)?.sequence ?? -1) + 1;
  for (let sequence = next; sequence < count; sequence += 3) {
    const events = [0, 1, 2].map((more) => ({ sequence: sequence + more, text: `event ${sequence + more}` }));
    responses.appendEvents(id, events);
  }
}

/** Several results at a time, as lines that run side by side end. */
async function finish({ batches }: Store, id: string, size: number): Promise<void> {
  batches.recover();
  for (let lines = batches.nextLines(id, 7); lines.length > 0; lines = batches.nextLines(id, 7)) {
    const finished = lines.map(({ number }) =>
      batches.finishLines(id, [
        { number, state: number % 5 === 0 ? 'failed' : 'completed', text: `${number}:`.padEnd(size, 'x') },
      ]),
    );
    await Promise.all(finished);
  }
}

/** Only now, as the folder of the project may be private to who runs the tests. */
function becomeUser(id: number): void {
  process.setgroups?.([]);
  process.setgid?.(id);
  process.setuid?.(id);
}

try {
  if (action === 'open' && args[0] !== undefined) becomeUser(Number(args[0]));
  using store = openStore(storeConfig(readSettings(process.env).settings), { role: 'runner' });
  await run(store);
  console.log('done');
} catch (error) {
  if (!(error instanceof StoreUnavailable)) throw error;
  console.log(error.name, error.reason);
}
