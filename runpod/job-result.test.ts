import { expect, it } from 'vitest';
import { failedResult, parseFailure } from './job-result.ts';

const worker = { id: 'pod-1', version: 'v' };
const textOf = (result: object) => JSON.parse('error' in result ? String(result.error) : '{}') as unknown;

it("keeps the status and the error of the gateway's answer", () => {
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

it("reads Anthropic's errors, and what is none", () => {
  expect(parseFailure({ type: 'overloaded_error', message: 'later' })).toMatchObject({
    message: 'later',
    type: 'overloaded_error',
  });
  expect(parseFailure('<html>', 502)).toMatchObject({
    message: 'the gateway answered 502',
    type: 'bad_gateway',
  });
});
