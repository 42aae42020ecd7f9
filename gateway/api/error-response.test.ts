import { describe, expect, it } from 'vitest';
import { modelNotFound } from '../errors/catalogue.ts';
import { anthropicEnvelope, type FailedRequest, renderError } from './error-response.ts';

const error = modelNotFound('other');

function render(request: FailedRequest | undefined) {
  const { status, headers, body } = renderError(error, 'id-1', request);
  expect(status).toBe(404);
  expect(headers).toMatchObject({
    'content-type': 'application/json; charset=utf-8',
    'content-length': body.length,
    'x-request-id': 'id-1',
  });
  return { headers, json: JSON.parse(body.toString()) };
}

it.each([
  ['of an OpenAI route', { path: '/v1/chat/completions', headers: {} }],
  ['that is unknown', undefined],
])('renders the error of a request %s in the format of OpenAI', (_, request) => {
  const { headers, json } = render(request);
  expect(json.error).toMatchObject({ code: 'model_not_found', message: error.message });
  expect(headers).not.toHaveProperty('request-id');
});

it("renders the error of a request of Anthropic's API in its format, with the id under both names", () => {
  const { headers, json } = render({ path: '/v1/messages', headers: {} });
  expect(json).toMatchObject({ type: 'error', error: { message: error.message }, request_id: 'id-1' });
  expect(headers).toMatchObject({ 'request-id': 'id-1' });
});

const getAnthropicError = (code: string, message: string) =>
  anthropicEnvelope(400, { type: 'invalid_request_error', code, message, param: null }, 'req-1').error;

describe('anthropicEnvelope', () => {
  it.each([
    'request (15003 tokens) exceeds the available context size (512 tokens), try increasing it',
    'input (15003 tokens) is larger than the max context size (512 tokens). skipping',
    'the request exceeds the available context size. try increasing the context size (15003 tokens of 512 tokens)',
  ])('reports a prompt that is too long in the message that Claude Code recognises: %s', (message) => {
    const error = getAnthropicError('context_length_exceeded', message);
    expect(error).toEqual({
      type: 'invalid_request_error',
      message: 'prompt is too long: 15003 tokens > 512 maximum',
    });
    expect(error.message).toMatch(/prompt is too long[^0-9]*(\d+)\s*tokens?\s*>\s*(\d+)/i);
  });

  it('invents no numbers and keeps the text of all other errors', () => {
    const message = 'the request exceeds the available context size';
    expect(getAnthropicError('context_length_exceeded', message).message).toBe(message);
    const other = 'Prompt contains 5 tokens of 9 tokens';
    expect(getAnthropicError('invalid_value', other).message).toBe(other);
  });
});
