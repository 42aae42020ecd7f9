import { expect, it } from 'vitest';
import { readJobs, readStopList } from './job.ts';

it('reads one job, and a list of them', () => {
  expect(readJobs({ id: 'a', input: { prompt: 'x' }, webhook: 'https://x' })).toEqual([
    { id: 'a', input: { prompt: 'x' } },
  ]);
  expect(
    readJobs([
      { id: 'a', input: 'x' },
      { id: 'b', input: {} },
    ]).map(({ id }) => id),
  ).toEqual(['a', 'b']);
});

it.each([
  null,
  'busy',
  {},
  { id: 'a' },
  { id: 'a', input: null },
  { id: '', input: {} },
  { id: 7, input: {} },
  [],
])('finds no job in %j', (answer) => {
  expect(readJobs(answer)).toEqual([]);
});

it('reads which jobs are to be stopped', () => {
  expect(readStopList({ jobsToStop: ['a', 'b'] })).toEqual(['a', 'b']);
  expect(readStopList({})).toEqual([]);
  expect(readStopList(null)).toEqual([]);
});
