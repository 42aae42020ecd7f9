import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { formatEvent } from '../../../sse/sse.ts';
import { delta, isForStream, startStream } from '../../fakes/scenarios.ts';
import { startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { gatewayIsIdle } from '../../harness/gateway-idle.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { chatOf, postOf } from '../../harness/raw-request.ts';
import { startTestGateway } from '../../harness/start-gateway.ts';
import { temporaryFolder } from '../../harness/temporary-folder.ts';

/** What the backend sends instead of a response. */
const misbehaviour: Readonly<Record<string, (response: ServerResponse) => void>> = {
  'bytes that are not HTTP': ({ socket }) => socket?.end('\u0000\u0001 what is this? \r\n\r\n'),
  'half a status line': ({ socket }) => socket?.end('HTTP/1.1 2'),
  'headers and no body': ({ socket }) =>
    socket?.end('HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n'),
  'half a chunk': ({ socket }) =>
    socket?.end(
      'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\nff\r\ndata: {"cho',
    ),
  'a chunk whose size is not a number': ({ socket }) =>
    socket?.end(
      'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\nzz\r\ndata\r\n',
    ),
  'a body that is shorter than its content-length': ({ socket }) =>
    socket?.end(
      'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{"choices":',
    ),
  'nothing, and closes the connection': ({ socket }) => socket?.destroy(),
  // A connection to a unix socket cannot be reset.
  'a reset': ({ socket }) => (socket?.remoteAddress ? socket.resetAndDestroy() : socket?.destroy()),
  '503 while it loads': (response) => response.writeHead(503).end('{"error":{"message":"Loading model"}}'),
};

describe.each(['TCP', 'a unix socket'])('a backend over %s', (transport) => {
  it.each(Object.entries(misbehaviour))(
    'that sends %s twice, and then a response, fails no request',
    async (_, misbehave) => {
      await using folder = await temporaryFolder();
      const socketPath = transport === 'TCP' ? undefined : folder.file('llama.sock');
      await using fake = await startFakeBackend((_, response) => response.end(), { socketPath });
      await using corral = await startTestGateway({ backend: fake.backend });
      for (const stream of [false, true]) {
        let times = 2;
        fake.scenario = (request, response) => {
          if (times-- > 0) return misbehave(response);
          expect(isForStream(request)).toBe(stream);
          startStream(response).end(`${delta('all ')}${delta('is well')}${finish}data: [DONE]\n\n`);
        };
        await using client = await RawClient.connect(corral.port);
        const result = await client.send(postOf(chatOf('hello', { stream }))).response();
        expect(result?.status).toBe(200);
        expect(
          stream ? contentOf(result?.body ?? '') : JSON.parse(result?.body ?? '').choices[0].message.content,
        ).toBe('all is well');
        await gatewayIsIdle(corral, fake);
      }
    },
  );
});

const finish = formatEvent({ choices: [{ index: 0, finish_reason: 'stop', delta: {} }] });

const contentOf = (body: string) =>
  [...body.matchAll(/"content":"([^"]*)"/g)].map(([, content]) => content).join('');
