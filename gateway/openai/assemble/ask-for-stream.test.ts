import { describe, expect, it } from 'vitest';
import { askForStream, tellsAllInAStream } from './ask-for-stream.ts';

describe('askForStream', () => {
  const ours = '"stream":true,"stream_options":{"include_usage":true}}';
  it.each([
    ['{"a":1}', `{"a":1,${ours}`],
    ['{}', `{${ours}`],
    [' {\n } \n', ` {\n ,${ours}`.replace(',', '')],
    ['{"a":"}"}  ', `{"a":"}",${ours}`],
    ['{"n":123456789012345678901234567890,"f":1.0}', `{"n":123456789012345678901234567890,"f":1.0,${ours}`],
    ['{"stream":false,"a":1}', `{"stream":false,"a":1,${ours}`],
  ])('%j', (given, expected) => {
    const asked = askForStream('chat', Buffer.from(given)).toString();
    expect(asked).toBe(expected);
    expect(JSON.parse(asked)).toMatchObject({ stream: true, stream_options: { include_usage: true } });
  });

  it('has no options where the API knows none', () => {
    expect(askForStream('message', Buffer.from('{"a":1}')).toString()).toBe('{"a":1,"stream":true}');
  });
});

describe('tellsAllInAStream', () => {
  const user = { role: 'user', content: 'x' };
  const assistant = { role: 'assistant', content: 'x' };
  it.each([
    ['chat', { messages: [user] }, true],
    ['chat', { messages: [user, assistant, user] }, true],
    ['chat', { messages: [user, assistant] }, false],
    ['chat', { messages: [] }, true],
    ['chat', { messages: [user], verbose: true }, false],
    ['message', { messages: [user, assistant] }, false],
    ['response', { input: 'x' }, true],
    ['response', { input: [user, assistant] }, false],
    ['completion', { prompt: 'x' }, true],
    ['chat', { messages: [null] }, true],
  ] as const)('%s %j: %s', (shape, fields, expected) => {
    expect(tellsAllInAStream(shape, fields)).toBe(expected);
  });
});
