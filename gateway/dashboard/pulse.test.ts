import { expect, it } from 'vitest';
import { openRecord, type RequestRecord } from '../record/request-record.ts';
import { AnswerEnds } from '../upstream/answer-ends.ts';
import { Pulse } from './pulse.ts';

const start = { id: 'a', method: 'POST', path: '/v1/chat/completions', address: '' };

it('counts tokens as they come, once, and what the end adds to them', () => {
  const record = openRecord(start);
  const records: RequestRecord[] = [record];
  using pulse = new Pulse({
    live: { records },
    admission: { counts: { capacity: 2, leased: 1, waiting: 3 } },
  });
  const answer = new AnswerEnds();
  Object.assign(record, { answer, streamed: true, queuedMs: 250 });
  answer.generated = 10;
  answer.firstByteAt = record.startedAt + 400;
  pulse.feel(1);
  answer.generated = 25;
  pulse.feel(2);
  records.pop();
  record.usage = { input: 1, cached: 0, output: 27 };
  pulse.finish(record);
  pulse.feel(3);
  pulse.feel(4);
  expect(pulse.points.map(({ at, tokens }) => [at, tokens])).toEqual([
    [1, 10],
    [2, 15],
    [3, 2],
    [4, 0],
  ]);
  expect(pulse.points.at(-1)).toMatchObject({ running: 1, waiting: 3, waitP50: 0.25, waitP95: 0.25 });
  expect(pulse.points.at(-1)?.firstTokenP50).toBeCloseTo(0.4);
});

it('counts what came and went between two looks', () => {
  using pulse = new Pulse({
    live: { records: [] },
    admission: { counts: { capacity: 2, leased: 0, waiting: 0 } },
  });
  const brief = openRecord(start);
  Object.assign(brief, { usage: { input: 1, cached: 0, output: 5 }, queuedMs: 0 });
  pulse.finish(brief);
  pulse.feel(1);
  expect(pulse.points).toMatchObject([{ tokens: 5, waitP50: 0 }]);
});

it('remembers fifteen minutes', () => {
  using pulse = new Pulse({
    live: { records: [] },
    admission: { counts: { capacity: 0, leased: 0, waiting: 0 } },
  });
  for (let at = 1; at <= 1000; at++) pulse.feel(at);
  expect(pulse.points.map(({ at }) => at)).toEqual(Array.from({ length: 900 }, (_, n) => n + 101));
  expect(pulse.points.at(-1)).toMatchObject({ tokens: 0, firstTokenP50: null, waitP95: null });
});
