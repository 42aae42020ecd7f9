import { describe, expect, it } from 'vitest';
import { backendErrorOf } from './backend-error.ts';

const told = (error: object) => JSON.stringify({ error });
const tooLong = {
  code: 400,
  message: 'request (20004 tokens) exceeds the available context size (2048 tokens), try increasing it',
  type: 'exceed_context_size_error',
  n_prompt_tokens: 20004,
};

describe('backendErrorOf', () => {
  it('keeps the numbers of a prompt that is too long', () => {
    expect(backendErrorOf(400, told(tooLong))).toEqual({
      status: 400,
      type: 'invalid_request_error',
      code: 'context_length_exceeded',
      message: tooLong.message,
    });
  });

  it.each([
    "'messages' is required",
    'Failed to parse messages: [json.exception.type_error.302] type must be string, but is number',
    'Failed to parse tools: Missing tool type: {}; tools = [\n  {}\n]',
    '[json.exception.out_of_range.403] key not found',
    'vector::_M_range_check: __n (which is 1000000000) >= this->size() (which is 4165)',
  ])('takes a 500 that blames the request for a 400: %s', (message) => {
    expect(backendErrorOf(500, told({ code: 500, message, type: 'server_error' }))).toEqual({
      status: 400,
      type: 'invalid_request_error',
      code: 'invalid_value',
      message,
    });
  });

  it('leaves any other 500 what it is', () => {
    const error = { code: 500, message: 'Compute error.', type: 'server_error' };
    expect(backendErrorOf(500, told(error))).toMatchObject({
      status: 500,
      type: 'server_error',
      code: 'internal_error',
    });
  });

  it.each([
    [
      501,
      { type: 'not_supported_error', message: 'no' },
      { type: 'invalid_request_error', code: 'not_supported' },
    ],
    [
      503,
      { type: 'unavailable_error', message: 'no' },
      { type: 'server_error', code: 'backend_unavailable' },
    ],
    [404, { type: 'not_found_error', message: 'no' }, { type: 'not_found_error', code: 'not_found' }],
  ])('words a %i', (status, error, expected) => {
    expect(backendErrorOf(status, told(error))).toEqual({ status, message: 'no', ...expected });
  });

  it.each([
    '',
    'Internal Server Error',
    'null',
    '[]',
    '{"error":null}',
    '{"error":{"message":5}}',
    '{"error":',
  ])('gives %j only its status', (body) => {
    expect(backendErrorOf(500, body)).toEqual({
      status: 500,
      type: 'server_error',
      code: 'internal_error',
      message: 'The engine answered with status 500.',
    });
  });

  it('takes an error that is a text, and one without its wrapping', () => {
    expect(backendErrorOf(400, '{"error":"no"}').message).toBe('no');
    expect(backendErrorOf(200, '{"code":400,"message":"no","type":"invalid_request_error"}').status).toBe(
      400,
    );
  });
});
