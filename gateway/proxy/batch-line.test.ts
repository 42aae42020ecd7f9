import { describe, expect, it } from 'vitest';
import type { ApiRequest } from '../api/request/parse-request-body.ts';
import { Preempted } from '../upstream/failure.ts';
import { BatchLine } from './batch-line.ts';

const client = new AbortController();
const aggregation = { shape: 'chat', prefix: '' };

function lineOf({ stream = false, isAggregated = true, mayBeContinued = true } = {}) {
  const request = { stream, aggregation: isAggregated ? aggregation : undefined } as ApiRequest;
  const state = { tail: { generated: 0 }, continuation: { mayBeContinued }, asked: 0 };
  const continuation = {
    get mayBeContinued() {
      state.asked += 1;
      return state.continuation.mayBeContinued;
    },
  };
  const line = new BatchLine({ request, signal: client.signal }, () => ({ tail: state.tail, continuation }));
  return { line, state };
}

describe('a line of a batch', () => {
  it('gives way at any time if it can be continued', () => {
    const { line, state } = lineOf();
    for (const generated of [0, 16, 17, 5000]) {
      state.tail.generated = generated;
      expect(line.mayGiveWay()).toBe(true);
    }
  });

  it('gives way only at its beginning if it cannot be continued, and is asked now and then', () => {
    const { line, state } = lineOf({ mayBeContinued: false });
    const answers = Array.from({ length: 100 }, (_, generated) => {
      state.tail.generated = generated;
      return line.mayGiveWay();
    });
    expect(answers.lastIndexOf(true)).toBe(16);
    expect(state.asked).toBe(6);
    state.continuation.mayBeContinued = true;
    state.tail.generated = 120;
    expect(line.mayGiveWay()).toBe(true);
  });

  it.each([
    ['embeddings', { isAggregated: false }],
    ['a stream, of which its client has a part', { stream: true }],
  ])('never gives way if it is %s', (_, options) => {
    expect(lineOf(options).line.mayGiveWay()).toBe(false);
  });

  it('is cut off in the attempt that runs, and in no later one', () => {
    const { line } = lineOf();
    const first = line.beginAttempt();
    line.preempt();
    expect(first.reason).toBeInstanceOf(Preempted);
    const second = line.beginAttempt();
    expect(second.aborted).toBe(false);
    client.abort(new Error('left'));
    expect(second.reason).toBe(client.signal.reason);
  });
});
