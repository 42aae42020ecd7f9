import { describe, expect, it } from 'vitest';
import { anthropicEnvelope } from './error-envelope.ts';

const told = (code: string, message: string) =>
  anthropicEnvelope(400, { type: 'invalid_request_error', code, message, param: null }, 'req-1').error;

describe('anthropicEnvelope', () => {
  it.each([
    'request (15003 tokens) exceeds the available context size (512 tokens), try increasing it',
    'input (15003 tokens) is larger than the max context size (512 tokens). skipping',
    'the request exceeds the available context size. try increasing the context size (15003 tokens of 512 tokens)',
  ])('reports a prompt that is too long in the words that Claude Code recognises: %s', (message) => {
    const error = told('context_length_exceeded', message);
    expect(error).toEqual({
      type: 'invalid_request_error',
      message: 'prompt is too long: 15003 tokens > 512 maximum',
    });
    expect(error.message).toMatch(/prompt is too long[^0-9]*(\d+)\s*tokens?\s*>\s*(\d+)/i);
  });

  it('invents no numbers and keeps the text of all other errors', () => {
    const message = 'the request exceeds the available context size';
    expect(told('context_length_exceeded', message).message).toBe(message);
    const other = 'Prompt contains 5 tokens of 9 tokens';
    expect(told('invalid_value', other).message).toBe(other);
  });
});
