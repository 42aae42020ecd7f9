import { describe, expect, it } from 'vitest';
import { createRequestRecord, type RequestRecord } from '../proxy/request-record.ts';
import { Traffic } from './traffic.ts';

const start = { id: 'r', method: 'POST', path: '/v1/chat/completions', address: '127.0.0.1' };
const ok = { status: 200, outcome: 'ok' } as const;
const disconnected = { status: 499, outcome: 'client_left' } as const;

/** A stream that took 3 s, its first token after 1 s, with 5 tokens of output. */
function record(more: Partial<RequestRecord> = {}): RequestRecord {
  const opened = createRequestRecord(start);
  return {
    ...opened,
    model: 'demo',
    streamed: true,
    queuedMs: 500,
    firstByteAt: opened.startedAt + 1000,
    endedAt: opened.startedAt + 3000,
    usage: { input: 10, cached: 4, output: 5 },
    ...more,
  };
}

function counted(more: Partial<RequestRecord>, end: typeof ok | typeof disconnected = ok) {
  const traffic = new Traffic();
  traffic.add({ record: record(more), end, pattern: '/chat/completions', priority: 'high' });
  const [model] = traffic.models;
  return { traffic, model };
}

const total = (counts: readonly number[] | undefined) => counts?.at(-1);

describe('traffic', () => {
  it('records the times of a stream in seconds', () => {
    const { traffic, model } = counted({});
    expect(model?.durations.get('')?.histogram.sum).toBeCloseTo(3);
    expect(model?.firstToken.sum).toBeCloseTo(1);
    expect(model?.perToken.sum).toBeCloseTo(0.5);
    expect(traffic.queueTimes.high.sum).toBeCloseTo(0.5);
    expect([model?.input.sum, model?.cached, model?.output.sum]).toEqual([10, 4, 5]);
  });

  it('records no time to first token for a response that is not streamed, and no time per token for a single token', () => {
    expect(total(counted({ streamed: false }).model?.firstToken.cumulativeCounts)).toBe(0);
    const { model } = counted({ usage: { input: 10, cached: 0, output: 1 } });
    expect([total(model?.firstToken.cumulativeCounts), total(model?.perToken.cumulativeCounts)]).toEqual([
      1, 0,
    ]);
  });

  it('records the first token of a stream whose client disconnects, but no time per token', () => {
    const { model } = counted({}, disconnected);
    expect([total(model?.firstToken.cumulativeCounts), total(model?.perToken.cumulativeCounts)]).toEqual([
      1, 0,
    ]);
    expect([...(model?.durations.keys() ?? [])]).toEqual(['client_left']);
  });

  it('records no model for a request rejected before its model was known', () => {
    const { traffic, model } = counted({
      model: undefined,
      queuedMs: undefined,
      error: 'invalid_json',
    } as never);
    expect(model).toBeUndefined();
    expect([...traffic.errors]).toEqual([['invalid_json', 1]]);
    expect(total(traffic.queueTimes.high.cumulativeCounts)).toBe(0);
  });

  it('counts retries and resumed streams', () => {
    const { traffic } = counted({ retries: 2, continued: 1, bytesOut: 100 });
    expect([traffic.replays, traffic.resumed, traffic.bytes]).toEqual([2, 1, 100]);
  });

  it('limits the number of error codes', () => {
    const traffic = new Traffic();
    for (let n = 0; n < 500; n++) {
      traffic.add({ record: record({ error: `code-${n}` }), end: ok, pattern: '/*', priority: undefined });
    }
    expect(traffic.errors.size).toBe(81);
    expect(traffic.errors.get('other')).toBe(420);
    expect(traffic.requests.length).toBe(1);
  });
});
