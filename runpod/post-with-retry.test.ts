import { expect, it, vi } from 'vitest';
import { postWithRetry } from './post-with-retry.ts';
import type { PostResult } from './queue-client.ts';
import { retryDelay } from './retry-delay.ts';

const accepted: PostResult = { outcome: 'accepted' };
const failed: PostResult = { outcome: 'failed', why: 'it answered 503' };
const refused: PostResult = { outcome: 'refused', why: 'it answered 404' };

function queueThatSays(...answers: readonly PostResult[]) {
  const left = [...answers];
  return vi.fn(async () => left.shift() ?? accepted);
}
const patience = (signal = new AbortController().signal) => ({
  pauseAfter: () => 0,
  signal,
  onTrouble: vi.fn(),
});

it('tries until the queue has taken it, and tells of the trouble once', async () => {
  const attempt = queueThatSays(...Array(20).fill(failed));
  const insistence = patience();
  expect(await postWithRetry(attempt, insistence)).toEqual({ outcome: 'accepted' });
  expect(attempt).toHaveBeenCalledTimes(21);
  expect(insistence.onTrouble.mock.calls).toEqual([['it answered 503']]);
});

it('does not try again what was taken', async () => {
  const attempt = queueThatSays(accepted);
  expect(await postWithRetry(attempt, patience())).toEqual({ outcome: 'accepted' });
  expect(attempt).toHaveBeenCalledOnce();
});

it('believes the third refusal in a row', async () => {
  const attempt = queueThatSays(refused, refused, failed, refused, refused, refused, refused);
  expect(await postWithRetry(attempt, patience())).toEqual({ outcome: 'refused', why: 'it answered 404' });
  expect(attempt).toHaveBeenCalledTimes(6);
});

it('ends with its signal, also in a pause', async () => {
  const controller = new AbortController();
  const attempt = vi.fn(async () => failed);
  const pauseAfter = () => {
    setImmediate(() => controller.abort());
    return 1_000_000;
  };
  expect(await postWithRetry(attempt, { ...patience(controller.signal), pauseAfter })).toEqual({
    outcome: 'given-up',
  });
  expect(attempt).toHaveBeenCalledTimes(2);
});

it('waits twice as long after each failure, half a minute at the most', () => {
  expect([1, 2, 3, 4, 5, 6, 60].map(retryDelay)).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
});
