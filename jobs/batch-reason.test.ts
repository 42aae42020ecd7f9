import { pino } from 'pino';
import { expect, it } from 'vitest';
import { StoreUnavailable } from '../store/errors.ts';
import { openTestStore } from '../test/harness/open-test-store.ts';
import { createBatch, storeFile } from '../test/harness/stored-batch.ts';
import { BatchReason } from './batch-reason.ts';
import { StoreGuard } from './store-guard.ts';

/** A batch, and a disk that fails until the test says otherwise. */
async function failingDisk() {
  const opened = await openTestStore();
  const { store } = opened;
  const { id: inputFileId } = await storeFile(store, 'a line');
  const batch = await createBatch(store, { inputFileId });
  const onPause = () => reason.show();
  const guard = new StoreGuard(pino({ enabled: false }), new AbortController().signal, onPause, 1);
  const reason: BatchReason = new BatchReason(batch, { store, guard });
  let isFull = true;
  const begin = () =>
    guard.persist(() => {
      if (isFull) throw new StoreUnavailable('disk-full', new Error('ENOSPC'));
    });
  const end = () => {
    isFull = false;
  };
  const shown = () => store.batches.get(batch.owner, batch.id)?.reason;
  return { opened, reason, begin, end, shown };
}

const [limit, disk] = [
  'the key has used its tokens',
  expect.stringContaining('the disk of DATA_DIR is full'),
];

it('a reason that came before a full disk is there again after it', async () => {
  const { opened, reason, begin, end, shown } = await failingDisk();
  await using _ = opened;
  reason.set('a', limit);
  const persisted = begin();
  expect(shown()).toEqual(disk);
  end();
  await persisted;
  expect(shown()).toBe(limit);
});

it('a full disk is shown whatever the lines do meanwhile, and then what they wait for', async () => {
  const { opened, reason, begin, end, shown } = await failingDisk();
  await using _ = opened;
  const persisted = begin();
  reason.set('a', limit);
  expect(shown()).toEqual(disk);
  reason.set('a', null);
  expect(shown()).toEqual(disk);
  end();
  await persisted;
  expect(shown()).toBeNull();
});

it('a batch waits when the lines of all its models do', async () => {
  const { opened, reason, shown } = await failingDisk();
  await using _ = opened;
  reason.begin(['a', 'b']);
  reason.set('a', limit);
  expect(shown()).toBeNull();
  reason.set('b', 'b does not load');
  expect(shown()).toBe(limit);
  reason.set('a', null);
  expect(shown()).toBeNull();
  reason.end('a');
  expect(shown()).toBe('b does not load');
  reason.end('b');
  expect(shown()).toBeNull();
});
