import { expect, it, vi } from 'vitest';
import { RequestEvents, type RequestFinished } from './request-events.ts';
import { createRequestRecord } from './request-record.ts';

const event: RequestFinished = {
  record: createRequestRecord({ id: '1', method: 'POST', path: '/v1/completions', address: '' }),
  end: { status: 200, outcome: 'ok' },
  pattern: '/v1/completions',
  priority: undefined,
};

it('passes a finished request to every observer at once', () => {
  const [first, second] = [vi.fn(), vi.fn()];
  new RequestEvents([first, second]).begin()(event);
  expect(first).toHaveBeenCalledExactlyOnceWith(event);
  expect(second).toHaveBeenCalledExactlyOnceWith(event);
});

it('passes it to the other observers when one of them fails', async () => {
  const other = vi.fn();
  const events = new RequestEvents([
    () => {
      throw new Error('disk full');
    },
    () => Promise.reject(new Error('disk full')),
    other,
  ]);
  await events.begin()(event);
  expect(other).toHaveBeenCalledOnce();
  await events.idle(3_600_000);
});

it('is idle when every request has finished and no observer is at work on one', async () => {
  const { promise: work, resolve } = Promise.withResolvers<void>();
  const events = new RequestEvents([() => work]);
  await events.idle(3_600_000);
  const finish = events.begin();
  let isIdle = false;
  const idle = events.idle(3_600_000).then(() => {
    isIdle = true;
  });
  const finished = finish(event);
  await Promise.resolve();
  expect(isIdle).toBe(false);
  resolve();
  await finished;
  await idle;
  expect(isIdle).toBe(true);
});

it('waits no longer than it may', async () => {
  const events = new RequestEvents([]);
  events.begin();
  await events.idle(1);
});
