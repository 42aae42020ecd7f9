import { expect, it, vi } from 'vitest';
import { postWithRetry, retryDelay } from './post-with-retry.ts';
import type { PostResult } from './queue-client.ts';

const accepted: PostResult = { outcome: 'accepted' };
const failed: PostResult = { outcome: 'failed', reason: 'status 503' };
const rejected: PostResult = { outcome: 'rejected', reason: 'status 404' };

function queueWith(...results: readonly PostResult[]) {
  const left = [...results];
  return vi.fn(async () => left.shift() ?? accepted);
}
const options = (signal = new AbortController().signal) => ({
  delayAfter: () => 0,
  signal,
  onFirstFailure: vi.fn(),
});

it('a post is retried until the queue accepts it, and the first failure is reported', async () => {
  const attempt = queueWith(...Array(20).fill(failed));
  const retries = options();
  expect(await postWithRetry(attempt, retries)).toEqual({ outcome: 'accepted' });
  expect(attempt).toHaveBeenCalledTimes(21);
  expect(retries.onFirstFailure.mock.calls).toEqual([['status 503']]);
});

it('an accepted post is not retried', async () => {
  const attempt = queueWith(accepted);
  expect(await postWithRetry(attempt, options())).toEqual({ outcome: 'accepted' });
  expect(attempt).toHaveBeenCalledOnce();
});

it('the third rejection in a row is final', async () => {
  const attempt = queueWith(rejected, rejected, failed, rejected, rejected, rejected, rejected);
  expect(await postWithRetry(attempt, options())).toEqual({ outcome: 'rejected', reason: 'status 404' });
  expect(attempt).toHaveBeenCalledTimes(6);
});

it('the signal ends the retries, also during a delay', async () => {
  const controller = new AbortController();
  const attempt = vi.fn(async () => failed);
  const delayAfter = () => {
    setImmediate(() => controller.abort());
    return 1_000_000;
  };
  expect(await postWithRetry(attempt, { ...options(controller.signal), delayAfter })).toEqual({
    outcome: 'given-up',
  });
  expect(attempt).toHaveBeenCalledTimes(2);
});

it('the delay doubles with each failure, up to half a minute', () => {
  expect([1, 2, 3, 4, 5, 6, 60].map(retryDelay)).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
});
