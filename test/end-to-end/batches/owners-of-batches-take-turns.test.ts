import { expect, it } from 'vitest';
import { chatLines, createBatchOfLines, currentBatch, untilEnded } from '../../harness/batches.ts';
import { startBatchRunner } from '../../harness/start-batch-runner.ts';
import { waitFor } from '../../harness/wait-for.ts';

const keyOf = (id: string) => ({ secret: `sk-${id}-0123456789abcdef` });

it('a small batch does not wait for a large one of another key, nor of its own', async () => {
  await using product = await startBatchRunner({ keys: { large: keyOf('large'), small: keyOf('small') } });
  const { store } = product;
  const large = await createBatchOfLines(store, chatLines(3000), { owner: 'large' });
  await waitFor('it to be under way', () => currentBatch(store, large).counts.completed >= 20);
  const before = currentBatch(store, large).counts.completed;
  const smalls = [
    await createBatchOfLines(store, chatLines(60), { owner: 'small' }),
    await createBatchOfLines(store, chatLines(30), { owner: 'large' }),
  ];
  const [other, own] = await Promise.all(smalls.map((batch) => untilEnded(store, batch)));
  expect([other?.status, own?.status]).toEqual(['completed', 'completed']);
  const meanwhile = currentBatch(store, large).counts.completed - before;
  // Half of the turns are those of the other key, and half of the rest are those of the small batch. In turn with nobody, all
  // 3000 lines would have run. It also runs on while this process waits for the CPU.
  expect(meanwhile).toBeGreaterThan(20);
  expect(meanwhile).toBeLessThan(1500);
});
