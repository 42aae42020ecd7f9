import { expect, it } from 'vitest';
import { failedResult, parseFailure, parseJobs, parseStopList } from './job.ts';

const jobsIn = (response: unknown) => parseJobs(response).jobs;

it('one job and a list of jobs are read', () => {
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
  'a job without a valid input is read, and fails later: %j',
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

it.each([null, 'busy', {}, [], [[]], [{}]])('%j contains no job', (response) => {
  expect(parseJobs(response)).toEqual({ jobs: [], unreadable: 0 });
});

it.each([[{ id: '', input: {} }], [{ id: 7, input: {} }], [{ input: 'x' }]])(
  'a job without an id is unreadable: %j',
  (entry) => {
    expect(parseJobs([entry, { id: 'b', input: 'x' }])).toEqual({
      jobs: [{ id: 'b', input: 'x' }],
      unreadable: 1,
    });
  },
);

it('the ids of jobs to stop are read, and invalid entries are skipped', () => {
  expect(parseStopList({ jobsToStop: ['a', 'b'] })).toEqual(['a', 'b']);
  expect(parseStopList({ jobsToStop: ['a', 5, null, 'b', { id: 'c' }] })).toEqual(['a', 'b']);
  for (const response of [{}, null, { jobsToStop: 'a' }]) expect(parseStopList(response)).toEqual([]);
});

const worker = { id: 'pod-1', version: 'v' };
const textOf = (result: object) => JSON.parse('error' in result ? String(result.error) : '{}') as unknown;

it("a failed result contains the status and the error of the gateway's response", () => {
  const error = {
    message: 'too long',
    type: 'invalid_request_error',
    param: null,
    code: 'context_length_exceeded',
  };
  expect(textOf(failedResult(parseFailure(error, 400), worker))).toEqual({
    error_type: 'context_length_exceeded',
    error_message: 'too long',
    error_traceback: '',
    status: 400,
    error,
    worker_id: 'pod-1',
    runpod_version: 'v',
  });
});

it("Anthropic's errors are read, and responses without an error", () => {
  expect(parseFailure({ type: 'overloaded_error', message: 'later' })).toMatchObject({
    message: 'later',
    type: 'overloaded_error',
  });
  expect(parseFailure('<html>', 502)).toMatchObject({
    message: 'the gateway responded with status 502',
    type: 'bad_gateway',
  });
});
