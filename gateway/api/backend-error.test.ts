import { describe, expect, it } from 'vitest';
import { parseBackendError } from './backend-error.ts';
import { redactMessage } from './redact-message.ts';

const errorBody = (error: object) => JSON.stringify({ error });
const tooLong = {
  code: 400,
  message: 'request (20004 tokens) exceeds the available context size (2048 tokens), try increasing it',
  type: 'exceed_context_size_error',
  n_prompt_tokens: 20004,
};

describe('parseBackendError', () => {
  it('keeps the numbers of a prompt that is too long', () => {
    expect(parseBackendError(400, errorBody(tooLong))).toEqual({
      status: 400,
      type: 'invalid_request_error',
      code: 'context_length_exceeded',
      message: tooLong.message,
    });
  });

  it.each([
    "'messages' is required",
    'Failed to parse messages: [json.exception.type_error.302] type must be string, but is number',
    'Failed to parse tools: Missing tool type',
    '[json.exception.out_of_range.403] key not found',
    'vector::_M_range_check: __n (which is 1000000000) >= this->size() (which is 4165)',
    'image input is not supported - hint: if this is unexpected, you may need to provide the mmproj',
    'Cannot use both json_schema and grammar',
    'Unknown reasoning format: zz',
    'Unknown reasoning format: compute error',
    'Failed to parse messages: Unsupported content part type: "CUDA out of memory"',
    'got exception: Unexpected empty grammar stack after accepting piece: x (12)',
    'Only no echo is supported',
    'uri must be base64 encoded',
    'something that no version has sent so far',
  ])('converts a 500 that blames the request to a 400: %s', (message) => {
    expect(parseBackendError(500, errorBody({ code: 500, message, type: 'server_error' }))).toEqual({
      status: 400,
      type: 'invalid_request_error',
      code: 'invalid_value',
      message: redactMessage(message),
    });
  });

  it.each([
    'Compute error.',
    'Context size has been exceeded.',
    'Invalid input batch.',
    'context shift is disabled',
    'context shift cannot be used for shared prompt',
    'failed to decode',
    'failed to process mtmd chunk',
    'failed to process speculative batch',
    'failed to find a memory slot for batch of size 512',
    'failed to get embeddings',
    'got exception: std::bad_alloc',
    'std::bad_alloc',
    'CUDA error: out of memory',
    'proxy error: Failed to read connection',
    'model name=alpha failed to load',
    'vk::Queue::submit: ErrorDeviceLost',
    'Resource temporarily unavailable',
    'unknown error',
  ])("keeps a 500 that is the engine's own fault: %s", (message) => {
    expect(parseBackendError(500, errorBody({ code: 500, message, type: 'server_error' }))).toEqual({
      status: 500,
      type: 'server_error',
      code: 'internal_error',
      message,
    });
  });

  it('blames the request for nothing but its size once the engine has sent output', () => {
    const after = (message: string) =>
      parseBackendError(500, errorBody({ code: 500, message, type: 'server_error' }), { hasOutput: true });
    expect(after('something that no version has sent so far').status).toBe(500);
    expect(parseBackendError(500, errorBody(tooLong), { hasOutput: true })).toMatchObject({
      status: 400,
      code: 'context_length_exceeded',
    });
  });

  it('blames the request for a grammar that allows no output, and the model for one that ends too soon', () => {
    const message = 'got exception: Unexpected empty grammar stack after accepting piece: = (28)';
    const error = errorBody({ code: 500, message, type: 'server_error' });
    expect(parseBackendError(500, error)).toMatchObject({ status: 400, code: 'invalid_value' });
    expect(parseBackendError(500, error, { hasOutput: true })).toMatchObject({ status: 500, isFinal: true });
  });

  it('reports a router whose child is gone as unavailable', () => {
    const error = errorBody({
      code: 500,
      message: 'proxy error: Could not establish connection',
      type: 'server_error',
    });
    expect(parseBackendError(500, error)).toMatchObject({ status: 503 });
  });

  it.each([
    'The model produced output that does not match the expected peg-native format',
    'Failed to parse input at pos 12: <tool_call>',
    "Invalid diff: 'ab' not found at start of 'cd'",
  ])("marks an error of the model's output as final: %s", (message) => {
    const error = { status: 500, code: 'internal_error', isFinal: true };
    expect(parseBackendError(500, errorBody({ code: 500, message, type: 'server_error' }))).toMatchObject(
      error,
    );
  });

  it.each([
    [
      'input (15001 tokens) is too large to process. increase the physical batch size (current batch size: 512)',
      512,
    ],
    [
      'input (721 tokens) is too large to process. increase the physical batch size (current batch size: 64).',
      64,
    ],
  ])('explains how to send an input that is larger than the batch size', (message, most) => {
    const error = parseBackendError(500, errorBody({ code: 500, message, type: 'server_error' }));
    expect(error).toMatchObject({ status: 400, code: 'context_length_exceeded' });
    expect(error.type).toBe('invalid_request_error');
    expect(error.message).toMatch(
      new RegExp(`^input \\(\\d+ tokens\\) is too large .* takes ${most} tokens .*-ub in EXTRA_ARGS`),
    );
  });

  it('explains how to send an input that is larger than the context', () => {
    const message = 'input (900 tokens) is larger than the max context size (512 tokens). skipping';
    const error = { code: 400, type: 'exceed_context_size_error', message };
    expect(parseBackendError(400, errorBody(error))).toEqual({
      status: 400,
      type: 'invalid_request_error',
      code: 'context_length_exceeded',
      message:
        'input (900 tokens) is too large to process: this server takes 512 tokens in one input. ' +
        'Send it in shorter pieces, or ask the operator to raise the context (CTX).',
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
  ])('converts an error with status %i', (status, error, expected) => {
    expect(parseBackendError(status, errorBody(error))).toEqual({ status, message: 'no', ...expected });
  });

  it.each([
    '',
    'Internal Server Error',
    'null',
    '[]',
    '{"error":null}',
    '{"error":{"message":5}}',
    '{"error":',
  ])('gives only the status for the body %j', (body) => {
    expect(parseBackendError(500, body)).toEqual({
      status: 500,
      type: 'server_error',
      code: 'internal_error',
      message: 'The engine responded with status 500.',
    });
  });

  it('reads an error that is a string, and one without the outer object', () => {
    expect(parseBackendError(400, '{"error":"no"}').message).toBe('no');
    expect(parseBackendError(200, '{"code":400,"message":"no","type":"invalid_request_error"}').status).toBe(
      400,
    );
  });
});
