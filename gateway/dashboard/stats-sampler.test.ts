import { expect, it } from 'vitest';
import { createRequestRecord, type RequestRecord } from '../proxy/request-record.ts';
import { ResponseTail } from '../upstream/relay.ts';
import { RecentValues, StatsSampler } from './stats-sampler.ts';

const start = { id: 'a', method: 'POST', path: '/v1/chat/completions', address: '' };

it('counts each token once, while it is streamed and at the end of the request', () => {
  const record = createRequestRecord(start);
  const records: RequestRecord[] = [record];
  using sampler = new StatsSampler({
    liveRequests: { records },
    scheduler: { counts: { capacity: 2, leased: 1, waiting: 3 } },
  });
  const tail = new ResponseTail();
  Object.assign(record, { responseTail: tail, streamed: true, queuedMs: 250 });
  tail.generated = 10;
  tail.firstByteAt = record.startedAt + 400;
  sampler.sample(1);
  tail.generated = 25;
  sampler.sample(2);
  records.pop();
  record.usage = { input: 1, cached: 0, output: 27 };
  sampler.recordFinished(record);
  sampler.sample(3);
  sampler.sample(4);
  expect(sampler.samples.map(({ at, tokens }) => [at, tokens])).toEqual([
    [1, 10],
    [2, 15],
    [3, 2],
    [4, 0],
  ]);
  expect(sampler.samples.at(-1)).toMatchObject({ running: 1, waiting: 3, waitP50: 0.25, waitP95: 0.25 });
  expect(sampler.samples.at(-1)?.firstTokenP50).toBeCloseTo(0.4);
});

it('counts requests that start and finish between two samples', () => {
  using sampler = new StatsSampler({
    liveRequests: { records: [] },
    scheduler: { counts: { capacity: 2, leased: 0, waiting: 0 } },
  });
  const brief = createRequestRecord(start);
  Object.assign(brief, { usage: { input: 1, cached: 0, output: 5 }, queuedMs: 0 });
  sampler.recordFinished(brief);
  sampler.sample(1);
  expect(sampler.samples).toMatchObject([{ tokens: 5, waitP50: 0 }]);
});

it('keeps the samples of fifteen minutes', () => {
  using sampler = new StatsSampler({
    liveRequests: { records: [] },
    scheduler: { counts: { capacity: 0, leased: 0, waiting: 0 } },
  });
  for (let at = 1; at <= 1000; at++) sampler.sample(at);
  expect(sampler.samples.map(({ at }) => at)).toEqual(Array.from({ length: 900 }, (_, n) => n + 101));
  expect(sampler.samples.at(-1)).toMatchObject({ tokens: 0, firstTokenP50: null, waitP95: null });
});

it('computes quantiles of recent values only', () => {
  const values = new RecentValues(100, 1000);
  for (let n = 1; n <= 100; n++) values.add(n, n);
  expect(values.quantiles([0.5, 0.95, 1], 100)).toEqual([50, 95, 100]);
  expect(values.quantiles([0, 0.5], 190)).toEqual([91, 95]);
  expect(values.quantiles([0.5, 0.95], 200)).toEqual([null, null]);
});

it('keeps a limited number of values', () => {
  const values = new RecentValues(100, 10);
  for (let n = 1; n <= 20; n++) values.add(n, 0);
  expect(values.quantiles([0, 1], 0)).toEqual([11, 20]);
});
