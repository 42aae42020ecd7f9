import { describe, expect, it } from 'vitest';
import { askForStream } from './ask-for-stream.ts';

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
