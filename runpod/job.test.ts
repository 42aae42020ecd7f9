import { expect, it } from 'vitest';
import { parseJobs, parseStopList } from './job.ts';

const jobsIn = (answer: unknown) => parseJobs(answer).jobs;

it('reads one job, and a list of them', () => {
  expect(jobsIn({ id: 'a', input: { prompt: 'x' }, webhook: 'https://x' })).toEqual([
    { id: 'a', input: { prompt: 'x' } },
  ]);
  const list = [
    { id: 'a', input: 'x' },
    { id: 'b', input: {} },
  ];
  expect(jobsIn(list)).toEqual(list);
});

it.each([{ id: 'a' }, { id: 'a', input: null }, { id: 'a', input: 0 }])(
  'leaves it to the job to fail for its input: %j',
  (entry) => {
    expect(parseJobs([{ id: 'b', input: 'x' }, entry])).toEqual({
      jobs: [
        { id: 'b', input: 'x' },
        { id: 'a', input: entry.input },
      ],
      unreadable: 0,
    });
  },
);

it.each([null, 'busy', {}, [], [[]], [{}]])('finds no job in %j', (answer) => {
  expect(parseJobs(answer)).toEqual({ jobs: [], unreadable: 0 });
});

it.each([[{ id: '', input: {} }], [{ id: 7, input: {} }], [{ input: 'x' }]])(
  'cannot read a job without an id: %j',
  (entry) => {
    expect(parseJobs([entry, { id: 'b', input: 'x' }])).toEqual({
      jobs: [{ id: 'b', input: 'x' }],
      unreadable: 1,
    });
  },
);

it('reads which jobs are to be stopped, whatever else is in the list', () => {
  expect(parseStopList({ jobsToStop: ['a', 'b'] })).toEqual(['a', 'b']);
  expect(parseStopList({ jobsToStop: ['a', 5, null, 'b', { id: 'c' }] })).toEqual(['a', 'b']);
  for (const answer of [{}, null, { jobsToStop: 'a' }]) expect(parseStopList(answer)).toEqual([]);
});
