import { expect, it } from 'vitest';
import { createRequestRecord, type RequestRecord } from '../proxy/request-record.ts';
import { ResponseTail } from '../upstream/relay.ts';
import { StatsSampler } from './stats-sampler.ts';

const start = { id: 'a', method: 'POST', path: '/v1/chat/completions', address: '' };

it('counts each token once, while it is streamed and at the end of the request', () => {
  const record = createRequestRecord(start);
  const records: RequestRecord[] = [record];
  using pulse = new StatsSampler({
    live: { records },
    admission: { counts: { capacity: 2, leased: 1, waiting: 3 } },
  });
  const answer = new ResponseTail();
  Object.assign(record, { responseTail: answer, streamed: true, queuedMs: 250 });
  answer.generated = 10;
  answer.firstByteAt = record.startedAt + 400;
  pulse.sample(1);
  answer.generated = 25;
  pulse.sample(2);
  records.pop();
  record.usage = { input: 1, cached: 0, output: 27 };
  pulse.recordFinished(record);
  pulse.sample(3);
  pulse.sample(4);
  expect(pulse.samples.map(({ at, tokens }) => [at, tokens])).toEqual([
    [1, 10],
    [2, 15],
    [3, 2],
    [4, 0],
  ]);
  expect(pulse.samples.at(-1)).toMatchObject({ running: 1, waiting: 3, waitP50: 0.25, waitP95: 0.25 });
  expect(pulse.samples.at(-1)?.firstTokenP50).toBeCloseTo(0.4);
});

it('counts requests that start and finish between two samples', () => {
  using pulse = new StatsSampler({
    live: { records: [] },
    admission: { counts: { capacity: 2, leased: 0, waiting: 0 } },
  });
  const brief = createRequestRecord(start);
  Object.assign(brief, { usage: { input: 1, cached: 0, output: 5 }, queuedMs: 0 });
  pulse.recordFinished(brief);
  pulse.sample(1);
  expect(pulse.samples).toMatchObject([{ tokens: 5, waitP50: 0 }]);
});

it('keeps the samples of fifteen minutes', () => {
  using pulse = new StatsSampler({
    live: { records: [] },
    admission: { counts: { capacity: 0, leased: 0, waiting: 0 } },
  });
  for (let at = 1; at <= 1000; at++) pulse.sample(at);
  expect(pulse.samples.map(({ at }) => at)).toEqual(Array.from({ length: 900 }, (_, n) => n + 101));
  expect(pulse.samples.at(-1)).toMatchObject({ tokens: 0, firstTokenP50: null, waitP95: null });
});
