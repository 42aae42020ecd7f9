import { describe, expect, it } from 'vitest';
import { getEchoedFields } from './echoed-fields.ts';
import { toResponseErrorCode } from './error-code.ts';

describe('getEchoedFields', () => {
  const engine = { temperature: 0.8, top_p: 0.95, presence_penalty: 0, frequency_penalty: 0 };

  it('repeats what the engine does where the request says nothing', () => {
    expect(getEchoedFields({}, engine)).toMatchObject(engine);
    expect(getEchoedFields({ temperature: 0, top_p: null }, engine)).toMatchObject({
      ...engine,
      temperature: 0,
    });
    expect(getEchoedFields({})).toMatchObject({ temperature: null, presence_penalty: null });
  });

  it('adds what a function, a text and reasoning may leave out', () => {
    const custom = { type: 'custom', name: 'say' };
    const format = { type: 'json_schema', name: 'x', schema: {} };
    const request = {
      tools: [{ type: 'function', name: 'a', parameters: {} }, custom],
      text: { format, verbosity: 'low' },
      reasoning: { effort: 'high' },
    };
    expect(getEchoedFields(request)).toMatchObject({
      tools: [{ type: 'function', name: 'a', parameters: {}, description: null, strict: null }, custom],
      text: { format, verbosity: 'low' },
      reasoning: { effort: 'high', summary: null },
    });
    expect(getEchoedFields({ text: { verbosity: 'low' } }).text).toEqual({
      format: { type: 'text' },
      verbosity: 'low',
    });
  });

  it('keeps the order of a tool, which a later response may take from here', () => {
    const tool = { type: 'function', parameters: {}, name: 'a' };
    const [echoed] = getEchoedFields({ tools: [tool] }).tools;
    expect(JSON.stringify(echoed)).toBe(
      '{"type":"function","parameters":{},"name":"a","description":null,"strict":null}',
    );
  });

  it('claims nothing about state that the request asks for', () => {
    const request = { store: true, background: true, previous_response_id: 'resp_1', conversation: 'conv_1' };
    expect(getEchoedFields(request)).toMatchObject({
      store: false,
      background: false,
      previous_response_id: null,
      conversation: null,
    });
  });
});

it.each([
  [503, 'queue_timeout', 'server_error'],
  [429, 'rate_limit_exceeded', 'rate_limit_exceeded'],
  [400, 'invalid_value', 'invalid_prompt'],
  [403, 'request_cancelled', 'server_error'],
  [400, 'context_length_exceeded', 'context_length_exceeded'],
])('the code of a failed response for an error %s %s is %s', (status, code, expected) => {
  expect(toResponseErrorCode({ status, code })).toBe(expected);
});
