import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { delta, isForStream, startStream } from '../../fakes/scenarios.ts';
import { type FakeBackend, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { gatewayIsIdle } from '../../harness/gateway-idle.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { chatOf, postOf } from '../../harness/raw-request.ts';
import { startTestGateway, type TestGateway } from '../../harness/start-gateway.ts';

let standIn: FakeBackend;
let corral: TestGateway;
beforeAll(async () => {
  standIn = await startFakeBackend((_, response) => response.end());
  corral = await startTestGateway({ backend: standIn.backend });
});
afterAll(async () => {
  await corral.stop();
  await standIn.stop();
});

/** What comes in place of an answer, before anything of one. */
const madness: Readonly<Record<string, (response: ServerResponse) => void>> = {
  'bytes that are no HTTP': ({ socket }) => socket?.end('\u0000\u0001 what is this? \r\n\r\n'),
  'half a status line': ({ socket }) => socket?.end('HTTP/1.1 2'),
  'a head and no body': ({ socket }) =>
    socket?.end('HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n'),
  'half a chunk': ({ socket }) =>
    socket?.end(
      'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\nff\r\ndata: {"cho',
    ),
  'a chunk of a size that is no number': ({ socket }) =>
    socket?.end(
      'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\nzz\r\ndata\r\n',
    ),
  'a body that is shorter than announced': ({ socket }) =>
    socket?.end(
      'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{"choices":',
    ),
  'a reset': ({ socket }) => socket?.resetAndDestroy(),
  'a word that it is loading': (response) =>
    response.writeHead(503).end('{"error":{"message":"Loading model"}}'),
};

describe.each(Object.entries(madness))('%s', (_, say) => {
  it.each([false, true])('and then an answer (stream: %s)', async (stream) => {
    let times = 2;
    standIn.mood = (request, response) => {
      if (times-- > 0) return say(response);
      expect(isForStream(request)).toBe(stream);
      startStream(response).end(`${delta('all ')}${delta('is well')}${finish}data: [DONE]\n\n`);
    };
    await using client = await RawClient.connect(corral.port);
    const answer = await client.send(postOf(chatOf('hello', { stream }))).answer();
    expect(answer?.status).toBe(200);
    expect(
      stream ? saidIn(answer?.body ?? '') : JSON.parse(answer?.body ?? '').choices[0].message.content,
    ).toBe('all is well');
    await gatewayIsIdle(corral, standIn);
  });
});

const finish = `data: ${JSON.stringify({ choices: [{ index: 0, finish_reason: 'stop', delta: {} }] })}\n\n`;

const saidIn = (body: string) => [...body.matchAll(/"content":"([^"]*)"/g)].map(([, said]) => said).join('');
