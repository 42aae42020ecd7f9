import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createRawServer, type Server, type Socket } from 'node:net';
import type { Dispatcher } from 'undici';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/harness/temporary-folder.ts';
import { waitFor } from '../../test/harness/wait-for.ts';
import { ShuttingDown, TimeoutExceeded, UnexpectedResponse } from './failure.ts';
import { SocketClient } from './socket-client.ts';

/** A server at the other end of a client's socket. */
async function start(server: Server) {
  const folder = await temporaryFolder();
  const path = folder.file('x.sock');
  const sockets = new Set<Socket>();
  let connections = 0;
  server.on('connection', (socket: Socket) => {
    connections += 1;
    sockets.add(socket.once('close', () => sockets.delete(socket)));
  });
  server.listen(path);
  await once(server, 'listening');
  const client = new SocketClient(path);
  return {
    client,
    sockets,
    get connections() {
      return connections;
    },
    async [Symbol.asyncDispose]() {
      await client.destroy();
      server.close();
      for (const socket of sockets) socket.destroy();
      await folder[Symbol.asyncDispose]();
    },
  };
}

const startHttp = (listener: RequestListener) => start(createServer(listener));

/** A server that responds to each request with these bytes, and then calls `then`. */
const startRaw = (bytes: string, then: (socket: Socket) => void = () => {}) =>
  start(createRawServer((socket) => socket.once('data', () => socket.write(bytes, () => then(socket)))));

interface Sent {
  readonly body?: Buffer | string;
  readonly reset?: boolean;
  readonly headers?: Record<string, string>;
  readonly headersTimeout?: number;
  readonly bodyTimeout?: number;
  readonly onData?: (controller: Dispatcher.DispatchController, text: string) => void;
}

/** Sends one request and reports everything that its handler received. */
function send(client: SocketClient, { onData, headers = {}, body = '{}', ...options }: Sent = {}) {
  const { promise, resolve } = Promise.withResolvers<Error | 'complete'>();
  const result = {
    status: 0,
    text: '',
    ended: promise,
    controller: undefined as Dispatcher.DispatchController | undefined,
  };
  client.dispatch(
    {
      method: 'POST',
      path: '/v1/x',
      headers: Object.entries(headers).flat(),
      body: Buffer.from(body),
      ...options,
    },
    {
      onRequestStart(controller) {
        result.controller = controller;
      },
      onResponseStart(_, status) {
        result.status = status;
      },
      onResponseData(controller, chunk) {
        result.text += chunk.toString();
        onData?.(controller, chunk.toString());
      },
      onResponseEnd: () => resolve('complete'),
      onResponseError: (_, error) => resolve(error),
    },
  );
  return result;
}

/** Responds with what it received. */
const echo: RequestListener = async (request, response) => {
  const body = (await Array.fromAsync(request)).join('');
  const { url, method, headers } = request;
  response.end(JSON.stringify({ url, method, headers, body }));
};

describe('SocketClient', () => {
  it('sends method, path, headers and body, and reuses the connection', async () => {
    await using server = await startHttp(echo);
    for (const body of ['{"a":"ü"}', Buffer.from('{}'), Buffer.alloc(300_000, 'x')]) {
      const result = send(server.client, {
        body,
        headers: { 'x-request-id': 'one', authorization: 'Bearer y' },
      });
      expect(await result.ended).toBe('complete');
      expect(result.status).toBe(200);
      expect(JSON.parse(result.text)).toMatchObject({
        url: '/v1/x',
        method: 'POST',
        headers: { 'x-request-id': 'one', authorization: 'Bearer y', host: 'llama-server' },
        body: body.toString(),
      });
    }
    expect(server.connections).toBe(1);
  });

  it('opens one connection per running request', async () => {
    await using server = await startHttp(echo);
    const all = Array.from({ length: 20 }, () => send(server.client));
    expect(await Promise.all(all.map(({ ended }) => ended))).toEqual(new Array(20).fill('complete'));
    expect(server.connections).toBe(20);
  });

  /** Sends the request of a stream, and returns what its connection is said to do afterwards. */
  async function sendStream(client: SocketClient): Promise<unknown> {
    const sent = send(client, { reset: true });
    return (await sent.ended) === 'complete' ? JSON.parse(sent.text).headers.connection : undefined;
  }

  const closing: RequestListener = async (request, response) => {
    response.once('close', () => request.socket.destroySoon());
    await echo(request, response);
  };

  it('closes the connection after each stream of a backend that did so once', async () => {
    await using server = await startHttp(closing);
    expect(await sendStream(server.client)).toBe('keep-alive');
    await waitFor('that to be known', async () => (await sendStream(server.client)) === 'close');
    const before = server.connections;
    for (let n = 1; n < 4; n++)
      expect([await sendStream(server.client), server.connections]).toEqual(['close', before + n]);
    expect([await send(server.client).ended, server.connections]).toEqual(['complete', before + 4]);
  });

  it('reuses no connection after a stream before it knows that the backend keeps it', async () => {
    await using server = await startHttp(echo);
    for (let n = 1; n < 4; n++)
      expect([await sendStream(server.client), server.connections]).toEqual(['keep-alive', n]);
    await waitFor('those three to be given up', () => server.sockets.size === 0);
    for (let n = 1; n < 4; n++)
      expect([await sendStream(server.client), server.connections]).toEqual(['keep-alive', 4]);
  });

  it('reuses no connection any more once a backend that kept them closes one', async () => {
    let listener = echo;
    await using server = await startHttp((request, response) => listener(request, response));
    await sendStream(server.client);
    await waitFor('the first to be given up', () => server.sockets.size === 0);
    listener = closing;
    await sendStream(server.client);
    await waitFor('that to be known', async () => (await sendStream(server.client)) === 'close');
    listener = echo;
    const before = server.connections;
    for (let n = 1; n < 4; n++)
      expect([await sendStream(server.client), server.connections]).toEqual(['close', before + n]);
  });

  it('sends many bodies at once over connections that exist', async () => {
    await using server = await startHttp(echo);
    for (let round = 0; round < 3; round++) {
      const bodies = [4, 5000, 60_000, 70_000].map((size, n) => `${round} ${n}`.repeat(size / 4));
      const all = bodies.map((body) => send(server.client, { body }));
      await Promise.all(all.map(({ ended }) => ended));
      expect(all.map(({ text }) => JSON.parse(text).body)).toEqual(bodies);
    }
    expect(server.connections).toBe(4);
  });

  it('forgets a connection that the other side closes', async () => {
    await using server = await startHttp(echo);
    expect(await send(server.client).ended).toBe('complete');
    for (const socket of server.sockets) socket.destroy();
    await waitFor('the connection to be closed', () => server.sockets.size === 0);
    const again = send(server.client);
    expect([await again.ended, server.connections]).toEqual(['complete', 2]);
  });

  it('closes the connection of an aborted request, and reports the reason', async () => {
    await using server = await startHttp((_, response) => void response.write('begun'));
    const result = send(server.client);
    await waitFor('the response to begin', () => result.text === 'begun');
    const reason = new Error('nobody waits');
    result.controller?.abort(reason);
    expect(await result.ended).toBe(reason);
    expect(result.controller?.aborted).toBe(true);
    await waitFor('the connection to be closed', () => server.sockets.size === 0);
  });

  it('stops reading while the handler is paused', async () => {
    const size = 64 * 1024 ** 2;
    const state = { written: 0 };
    await using server = await startHttp(async (_, response) => {
      response.writeHead(200);
      const piece = Buffer.alloc(64 * 1024, 'x');
      while (state.written < size && !response.destroyed) {
        state.written += piece.length;
        if (!response.write(piece)) await once(response, 'drain');
      }
      response.end();
    });
    let isHeld = false;
    const result = send(server.client, {
      onData(controller) {
        if (isHeld) return;
        isHeld = true;
        controller.pause();
      },
    });
    let last = -1;
    await waitFor(
      'the other side to be held up',
      () => {
        const isStill = isHeld && state.written === last;
        last = state.written;
        return isStill;
      },
      { every: 200 },
    );
    expect(state.written).toBeLessThan(size / 4);
    result.controller?.resume();
    expect(await result.ended).toBe('complete');
    expect(result.text).toHaveLength(size);
  });

  it.each([
    ['the head of the response', ''],
    ['the rest of the body', 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab'],
  ])('fails with a timeout if %s does not arrive', async (_, bytes) => {
    await using server = await startRaw(bytes);
    const result = send(server.client, { headersTimeout: 100, bodyTimeout: 100 });
    expect(await result.ended).toBeInstanceOf(TimeoutExceeded);
    await waitFor('the connection to be closed', () => server.sockets.size === 0);
  });

  it('reports a response that ends before it is complete', async () => {
    await using server = await startRaw('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab', (socket) =>
      socket.end(),
    );
    const result = send(server.client);
    expect(await result.ended).toMatchObject({ message: 'the backend closed the connection' });
    expect(result.text).toBe('ab');
  });

  it('accepts a response that ends with its connection', async () => {
    await using server = await startRaw('HTTP/1.1 200 OK\r\n\r\nall of it', (socket) => socket.end());
    const result = send(server.client);
    expect([await result.ended, result.text]).toEqual(['complete', 'all of it']);
  });

  it('rejects bytes that are not an HTTP response', async () => {
    await using server = await startRaw('220 mail.example ESMTP\r\n\r\n');
    expect(await send(server.client).ended).toBeInstanceOf(UnexpectedResponse);
  });

  it('reports an error that its handler throws', async () => {
    await using server = await startHttp(echo);
    const thrown = new Error('too large');
    const result = send(server.client, {
      onData() {
        throw thrown;
      },
    });
    expect(await result.ended).toBe(thrown);
  });

  it('rejects a header value with a line break', async () => {
    await using server = await startHttp(echo);
    const result = send(server.client, { headers: { 'x-a': 'b\r\nx-c: d' } });
    expect(await result.ended).toBeInstanceOf(TypeError);
  });

  it('reports that nothing listens on the socket', async () => {
    await using folder = await temporaryFolder();
    expect(await send(new SocketClient(folder.file('none.sock'))).ended).toMatchObject({ code: 'ENOENT' });
  });

  it('ends running requests when it is destroyed, with the reason', async () => {
    await using server = await startHttp((_, response) => void response.write('begun'));
    const result = send(server.client);
    await waitFor('the response to begin', () => result.text === 'begun');
    const reason = new ShuttingDown('the gateway shuts down');
    await server.client.destroy(reason);
    expect(await result.ended).toBe(reason);
    expect(await send(server.client).ended).toBeInstanceOf(ShuttingDown);
    expect(server.connections).toBe(1);
  });
});
