import { expect, it } from 'vitest';
import { decodeResponse, encodeResponse, renewedBody } from './cached-response.ts';

const renewed = (text: string) =>
  renewedBody(
    { isStream: false, body: Buffer.from(text), finishReason: undefined },
    1_900_000_000_500,
  ).toString();

it('a response gets an id of the same form and the time of now, everywhere in a stream', () => {
  const chunk = (id: string, created: number) => `data: {"created":${created},"id":"${id}","x":1}\n\n`;
  const stream = renewed(chunk('chatcmpl-aB3', 1_700_000_000) + chunk('chatcmpl-aB3', 1_700_000_001));
  const [, id = ''] = /"id":"(chatcmpl-\w{3})"/.exec(stream) ?? [];
  expect(id).not.toBe('chatcmpl-aB3');
  expect(stream).toBe(chunk(id, 1_900_000_000) + chunk(id, 1_900_000_000));
});

it('a message gets an id of its own as well', () => {
  expect(renewed('{"id":"msg_abcdef","type":"message"}')).toMatch(
    /^\{"id":"msg_[0-9a-f]{6}","type":"message"\}$/,
  );
});

it('what a text says of ids and times stays', () => {
  const content = JSON.stringify('{"id":"chatcmpl-xyz","created":5} ä 😀');
  const response = renewed(`{"choices":[{"message":{"content":${content}}}],"id":"chatcmpl-xyz"}`);
  expect(response).toContain(content);
  expect(response).toMatch(/"id":"chatcmpl-[0-9a-f]{3}"\}$/);
  expect(renewed('{"object":"list","data":[]}')).toBe('{"object":"list","data":[]}');
});

it('is the same after it was kept elsewhere', () => {
  const response = { isStream: true, body: Buffer.from('data: "\n"\n\n'), finishReason: 'stop' };
  expect(decodeResponse(encodeResponse(response))).toEqual(response);
});
