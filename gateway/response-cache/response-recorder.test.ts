import { expect, it } from 'vitest';
import { ResponseRecorder } from './response-recorder.ts';

function record(pieces: readonly string[], maxBytes = 1000) {
  const recorder = new ResponseRecorder(maxBytes);
  for (const piece of pieces) recorder.add(Buffer.from(piece));
  const { recorded } = recorder;
  return recorded && { ...recorded, body: recorded.body.toString() };
}

it('a stream is kept without what only kept its client waiting', () => {
  const pieces = [
    ': queued 3 of 4\n\n',
    'event: ping\ndata: {"type":"ping"}\n\n',
    'data: {"a":',
    '1}\n\n',
    'data: [DONE]\n\n',
  ];
  expect(record(pieces)).toEqual({ isStream: true, body: 'data: {"a":1}\n\ndata: [DONE]\n\n' });
});

it('a JSON object is kept without the white space before it', () => {
  expect(record(['\n', '\n', '{"a":', '"\\n"}'])).toEqual({ isStream: false, body: '{"a":"\\n"}' });
});

it('nothing is kept of what is too large, or empty', () => {
  expect(record(['x'.repeat(11)], 10)).toBeUndefined();
  expect(record(['{"a":', '123456}'], 10)).toBeUndefined();
  expect(record([])).toBeUndefined();
});
