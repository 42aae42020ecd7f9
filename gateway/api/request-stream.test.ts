import { describe, expect, it } from 'vitest';
import { requestStream } from './aggregation.ts';

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
    const asked = requestStream('chat', Buffer.from(given)).toString();
    expect(asked).toBe(expected);
    expect(JSON.parse(asked)).toMatchObject({ stream: true, stream_options: { include_usage: true } });
  });

  const blanks = ['\t', '\n', '\r\n', ' \t\r\n'].flatMap((blank) => [blank, blank.repeat(5000)]);
  const lengths = [1, 61, 62, 63, 64, 65, 70, 127, 128, 10_000].map((count) => ' '.repeat(count));
  it.each([...blanks, ...lengths])(
    'takes no blanks for emptiness, and emptiness for nothing else: %j',
    (blank) => {
      for (const inner of ['', '"prompt":"{ }","a":{}']) {
        const given = `${blank}{${blank}${inner}${blank}}${blank}`;
        const asked = JSON.parse(requestStream('chat', Buffer.from(given)).toString());
        const expected = { ...JSON.parse(given), stream: true, stream_options: { include_usage: true } };
        expect(asked).toEqual(expected);
      }
    },
  );

  it('has no options where the API knows none', () => {
    expect(requestStream('message', Buffer.from('{"a":1}')).toString()).toBe('{"a":1,"stream":true}');
  });
});
