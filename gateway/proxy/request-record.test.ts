import { describe, expect, it, vi } from 'vitest';
import { ResponseTail } from '../upstream/relay.ts';
import {
  createRequestRecord,
  getOutcome,
  RequestEvents,
  type RequestFinished,
  reachedStreamEnd,
} from './request-record.ts';

const record = (error?: string) => ({
  ...createRequestRecord({ id: 'r', method: 'POST', path: '/v1/completions', address: '127.0.0.1' }),
  ...(error !== undefined && { error }),
});

describe('the outcome of a request', () => {
  it.each([
    [undefined, 200, true, { status: 200, outcome: 'ok' }],
    ['queue_full', 503, true, { status: 503, outcome: 'refused' }],
    ['bad_gateway', 200, true, { status: 200, outcome: 'broken_off' }],
    [undefined, 200, false, { status: 499, outcome: 'client_left' }],
    ['client_closed_request', 200, false, { status: 499, outcome: 'client_left' }],
  ])('with error %s, status %d, completed %s', (error, status, completed, end) => {
    expect(getOutcome(record(error), status, completed)).toEqual(end);
  });
});

describe('a stream is complete', () => {
  const streamOf = (...chunks: string[]) => {
    const responseTail = new ResponseTail();
    for (const chunk of chunks) responseTail.add(Buffer.from(chunk));
    return { ...record(), streamed: true, responseTail };
  };

  it('when its end marker has gone out, in any dialect', () => {
    expect(reachedStreamEnd(streamOf('data: {"a":1}\n\n', 'data: [DONE]\n\n'))).toBe(true);
    expect(reachedStreamEnd(streamOf('event: message_stop\ndata: {"type":"message_stop"}\n\n'))).toBe(true);
    expect(reachedStreamEnd(streamOf('event: response.completed\ndata: {}\n\n'))).toBe(true);
  });

  it('not before, whatever the text of the model', () => {
    expect(reachedStreamEnd(streamOf('data: {"content":"data: [DONE]"}\n\n'))).toBe(false);
    expect(reachedStreamEnd(record())).toBe(false);
  });
});

const event: RequestFinished = {
  record: createRequestRecord({ id: '1', method: 'POST', path: '/v1/completions', address: '' }),
  end: { status: 200, outcome: 'ok' },
  pattern: '/v1/completions',
  priority: undefined,
};

function finishOne(events: RequestEvents): void {
  events.begin();
  events.finish(event);
}

it('passes a finished request to every observer at once', () => {
  const [first, second] = [vi.fn(), vi.fn()];
  finishOne(new RequestEvents([first, second]));
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
  finishOne(events);
  expect(other).toHaveBeenCalledOnce();
  await events.idle(3_600_000);
});

it('is idle when every request has finished and no observer is at work on one', async () => {
  const { promise: work, resolve } = Promise.withResolvers<void>();
  const events = new RequestEvents([() => work]);
  await events.idle(3_600_000);
  events.begin();
  let isIdle = false;
  const idle = events.idle(3_600_000).then(() => {
    isIdle = true;
  });
  events.finish(event);
  await Promise.resolve();
  expect(isIdle).toBe(false);
  resolve();
  await idle;
  expect(isIdle).toBe(true);
});

it('waits no longer than it may', async () => {
  const events = new RequestEvents([]);
  events.begin();
  await events.idle(1);
});
