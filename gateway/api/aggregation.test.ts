import { describe, expect, it } from 'vitest';
import { getCompletionPrefix, requestStream } from './aggregation.ts';

const user = { role: 'user', content: 'x' };
const assistant = (content: unknown, more = {}) => ({ role: 'assistant', content, ...more });
const part = (text: string) => ({ type: 'text', text });

it.each([
  ['chat', { messages: [user] }, ''],
  ['chat', { messages: [] }, ''],
  ['chat', { messages: [null] }, ''],
  ['chat', { messages: [user, assistant('a'), user] }, ''],
  ['chat', { messages: [user, assistant('It begins ')] }, 'It begins '],
  ['chat', { messages: [user, assistant('{"n":')] }, '{"n":'],
  ['chat', { messages: [user, assistant(null)] }, ''],
  ['chat', { messages: [user, assistant([part('one')])] }, 'one'],
  ['chat', { messages: [user, assistant('a')], echo: true }, ''],
  ['chat', { messages: [user, assistant('a')], continue_final_message: true }, 'a'],
  ['chat', { messages: [user, assistant('a')], continue_final_message: 'reasoning_content' }, undefined],
  ['message', { messages: [user, assistant([part('one')])] }, ''],
  ['message', { messages: [user, assistant([part('one')])], tools: [] }, ''],
  ['chat', { messages: [user, assistant([part('one'), part('two')])] }, undefined],
  ['chat', { messages: [user, assistant([{ type: 'image_url' }])] }, undefined],
  ['chat', { messages: [user, assistant(5)] }, undefined],
  ['chat', { messages: [user, assistant('a', { reasoning_content: 'b' })] }, undefined],
  ['chat', { messages: [user, assistant('a', { tool_calls: [] })] }, undefined],
  ['chat', { messages: [user, assistant('a')], tools: [] }, undefined],
  ['chat', { messages: [user, assistant('<think>a')] }, undefined],
  ['chat', { messages: [user, assistant('[TOOL_CALLS]')] }, undefined],
  ['response', { input: [user, assistant('a')] }, ''],
  ['completion', { prompt: 'x' }, ''],
] as const)('the JSON response of %s %j begins with %j', (shape, fields, expected) => {
  expect(getCompletionPrefix(shape, fields)).toBe(expected);
});

describe('requestStream', () => {
  const ours = '"stream":true,"stream_options":{"include_usage":true}}';
  it.each([
    ['{"a":1}', `{"a":1,${ours}`],
    ['{}', `{${ours}`],
    [' {\n } \n', ` {\n ,${ours}`.replace(',', '')],
    ['{"a":"}"}  ', `{"a":"}",${ours}`],
    ['{"n":123456789012345678901234567890,"f":1.0}', `{"n":123456789012345678901234567890,"f":1.0,${ours}`],
    ['{"stream":false,"a":1}', `{"stream":false,"a":1,${ours}`],
  ])('changes no other byte of %j', (given, expected) => {
    const asked = requestStream('chat', Buffer.from(given)).toString();
    expect(asked).toBe(expected);
    expect(JSON.parse(asked)).toMatchObject({ stream: true, stream_options: { include_usage: true } });
  });

  const blanks = ['\t', '\n', '\r\n', ' \t\r\n'].flatMap((blank) => [blank, blank.repeat(5000)]);
  const lengths = [1, 61, 62, 63, 64, 65, 70, 127, 128, 10_000].map((count) => ' '.repeat(count));
  it.each([...blanks, ...lengths])(
    'recognises an object without members whatever the white space: %j',
    (blank) => {
      for (const inner of ['', '"prompt":"{ }","a":{}']) {
        const given = `${blank}{${blank}${inner}${blank}}${blank}`;
        const asked = JSON.parse(requestStream('chat', Buffer.from(given)).toString());
        const expected = { ...JSON.parse(given), stream: true, stream_options: { include_usage: true } };
        expect(asked).toEqual(expected);
      }
    },
  );

  it('adds no stream options where the API has none', () => {
    expect(requestStream('message', Buffer.from('{"a":1}')).toString()).toBe('{"a":1,"stream":true}');
  });
});
