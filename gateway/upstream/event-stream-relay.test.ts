import { expect, it } from 'vitest';
import { RecordingResponse } from '../../test/fakes/recording-response.ts';
import { getStreamFormatter } from '../api/response-format.ts';
import { EventStreamRelay, stripComments } from './event-stream-relay.ts';
import { ResponseTail } from './relay.ts';

const event = 'data: {"content":": a\\n\\n: data: null"}\n\n';

it.each([
  ['an event', event, event],
  ['a ping', ':\n\n', ''],
  ['several pings', ':\n\n:\n\n', ''],
  ['a ping before an event', `:\n\n${event}`, event],
  ['a ping between two events', `${event}: ping\n\n${event}`, event + event],
  ['a ping after an event', `${event}:\n\n`, event],
  ['an empty event', 'data: null\n\n', ''],
  ['an empty event before another', `data: null\n\n${event}`, event],
  ['a named event', `event: a\n${event}`, `event: a\n${event}`],
])('stripComments handles %s', (_, given, expected) => {
  expect(stripComments(Buffer.from(given)).toString()).toBe(expected);
});

it('what the client receives does not depend on how the stream is cut', () => {
  const error = 'data: {"error":{"code":500,"message":"Compute error.","type":"server_error"}}\n\n';
  const named = 'event: a\ndata: {"content":"é"}\n\n';
  const stream = Buffer.from(
    `:\n\n${event}${named}: ping\n\n${event}data: {\ndata: }\n\n${error}data: [DONE]\n\n`,
  );
  const whole = relayInPieces(stream, stream.length);
  expect(whole).toContain(`${event}${named}${event}data: {\ndata: }\n\ndata: {"error":{"message":"`);
  expect(whole).toContain('"type":"server_error","param":null,"code":"');
  for (let size = 1; size < stream.length; size++) expect(relayInPieces(stream, size)).toBe(whole);
});

function relayInPieces(stream: Buffer, size: number): string {
  const response = new RecordingResponse();
  const relay = new EventStreamRelay({
    response: response.asResponse,
    dialect: 'openai',
    formatter: getStreamFormatter('openai'),
    tail: new ResponseTail(),
    rewriter: undefined,
    keepAlive: undefined,
    observe: () => 1,
    nativeEnd: undefined,
    resumeRewriter: undefined,
  });
  for (let from = 0; from < stream.length; from += size) relay.write(stream.subarray(from, from + size));
  expect(relay.end()).toBe(true);
  return response.bytes.toString();
}
