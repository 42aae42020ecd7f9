import { describe, expect, it } from 'vitest';
import { getCompletionPrefix, requestStream } from './aggregation.ts';

const user = { role: 'user', content: 'x' };
const said = (content: unknown, more = {}) => ({ role: 'assistant', content, ...more });
const part = (text: string) => ({ type: 'text', text });

it.each([
  ['chat', { messages: [user] }, ''],
  ['chat', { messages: [] }, ''],
  ['chat', { messages: [null] }, ''],
  ['chat', { messages: [user, said('a'), user] }, ''],
  ['chat', { messages: [user, said('It begins ')] }, 'It begins '],
  ['chat', { messages: [user, said('{"n":')] }, '{"n":'],
  ['chat', { messages: [user, said(null)] }, ''],
  ['chat', { messages: [user, said([part('one')])] }, 'one'],
  ['chat', { messages: [user, said('a')], echo: true }, ''],
  ['chat', { messages: [user, said('a')], continue_final_message: true }, 'a'],
  ['chat', { messages: [user, said('a')], continue_final_message: 'reasoning_content' }, undefined],
  ['message', { messages: [user, said([part('one')])] }, ''],
  ['message', { messages: [user, said([part('one')])], tools: [] }, ''],
  ['chat', { messages: [user, said([part('one'), part('two')])] }, undefined],
  ['chat', { messages: [user, said([{ type: 'image_url' }])] }, undefined],
  ['chat', { messages: [user, said(5)] }, undefined],
  ['chat', { messages: [user, said('a', { reasoning_content: 'b' })] }, undefined],
  ['chat', { messages: [user, said('a', { tool_calls: [] })] }, undefined],
  ['chat', { messages: [user, said('a')], tools: [] }, undefined],
  ['chat', { messages: [user, said('<think>a')] }, undefined],
  ['chat', { messages: [user, said('[TOOL_CALLS]')] }, undefined],
  ['response', { input: [user, said('a')] }, ''],
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
