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
async function open(server: Server) {
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

const openHttp = (listener: RequestListener) => open(createServer(listener));

/** A server that answers every request with these bytes, then does as told. */
const openRaw = (bytes: string, then: (socket: Socket) => void = () => {}) =>
  open(createRawServer((socket) => socket.once('data', () => socket.write(bytes, () => then(socket)))));

interface Sent {
  readonly body?: Buffer | string;
  readonly reset?: boolean;
  readonly headers?: Record<string, string>;
  readonly headersTimeout?: number;
  readonly bodyTimeout?: number;
  readonly onData?: (controller: Dispatcher.DispatchController, text: string) => void;
}

/** Sends one request and tells all that its handler was told. */
function send(client: SocketClient, { onData, ...options }: Sent = {}) {
  const { promise, resolve } = Promise.withResolvers<Error | 'whole'>();
  const told = {
    status: 0,
    text: '',
    ended: promise,
    controller: undefined as Dispatcher.DispatchController | undefined,
  };
  client.dispatch(
    { method: 'POST', path: '/v1/x', headers: {}, body: '{}', ...options },
    {
      onRequestStart(controller) {
        told.controller = controller;
      },
      onResponseStart(_, status) {
        told.status = status;
      },
      onResponseData(controller, chunk) {
        told.text += chunk.toString();
        onData?.(controller, chunk.toString());
      },
      onResponseEnd: () => resolve('whole'),
      onResponseError: (_, error) => resolve(error),
    },
  );
  return told;
}

/** Answers with what it was sent. */
const echo: RequestListener = async (request, response) => {
  const body = (await Array.fromAsync(request)).join('');
  const { url, method, headers } = request;
  response.end(JSON.stringify({ url, method, headers, body }));
};

describe('SocketClient', () => {
  it('sends method, path, headers and body, and keeps the connection for the next', async () => {
    await using house = await openHttp(echo);
    for (const body of ['{"a":"ü"}', Buffer.from('{}'), Buffer.alloc(300_000, 'x')]) {
      const told = send(house.client, {
        body,
        headers: { 'x-request-id': 'one', authorization: 'Bearer y' },
      });
      expect(await told.ended).toBe('whole');
      expect(told.status).toBe(200);
      expect(JSON.parse(told.text)).toMatchObject({
        url: '/v1/x',
        method: 'POST',
        headers: { 'x-request-id': 'one', authorization: 'Bearer y', host: 'llama-server' },
        body: body.toString(),
      });
    }
    expect(house.connections).toBe(1);
  });

  it('opens as many connections as there are requests, and closes those of the last request', async () => {
    await using house = await openHttp(echo);
    const all = Array.from({ length: 20 }, () => send(house.client, { reset: true }));
    expect(await Promise.all(all.map(({ ended }) => ended))).toEqual(new Array(20).fill('whole'));
    expect(house.connections).toBe(20);
    expect(JSON.parse(all[0]?.text ?? '').headers.connection).toBe('close');
    await waitFor('them to be closed', () => house.sockets.size === 0);
  });

  it('leaves no connection behind that the other side closes', async () => {
    await using house = await openHttp(echo);
    expect(await send(house.client).ended).toBe('whole');
    for (const socket of house.sockets) socket.destroy();
    await waitFor('it to be closed', () => house.sockets.size === 0);
    const again = send(house.client);
    expect([await again.ended, house.connections]).toEqual(['whole', 2]);
  });

  it('closes the connection of a request that is aborted, and tells why', async () => {
    await using house = await openHttp((_, response) => void response.write('begun'));
    const told = send(house.client);
    await waitFor('the answer to begin', () => told.text === 'begun');
    const reason = new Error('nobody waits');
    told.controller?.abort(reason);
    expect(await told.ended).toBe(reason);
    expect(told.controller?.aborted).toBe(true);
    await waitFor('it to be closed', () => house.sockets.size === 0);
  });

  it('holds back what a reader cannot take', async () => {
    const size = 64 * 1024 ** 2;
    const state = { written: 0 };
    await using house = await openHttp(async (_, response) => {
      response.writeHead(200);
      const piece = Buffer.alloc(64 * 1024, 'x');
      while (state.written < size && !response.destroyed) {
        state.written += piece.length;
        if (!response.write(piece)) await once(response, 'drain');
      }
      response.end();
    });
    let isHeld = false;
    const told = send(house.client, {
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
    told.controller?.resume();
    expect(await told.ended).toBe('whole');
    expect(told.text).toHaveLength(size);
  });

  it.each([
    ['the head', ''],
    ['the rest', 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab'],
  ])('gives up where %s does not come', async (_, bytes) => {
    await using house = await openRaw(bytes);
    const told = send(house.client, { headersTimeout: 100, bodyTimeout: 100 });
    expect(await told.ended).toBeInstanceOf(TimeoutExceeded);
    await waitFor('it to be closed', () => house.sockets.size === 0);
  });

  it('tells of an answer that ends before it is whole', async () => {
    await using house = await openRaw('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab', (socket) =>
      socket.end(),
    );
    const told = send(house.client);
    expect(await told.ended).toMatchObject({ message: 'the backend closed the connection' });
    expect(told.text).toBe('ab');
  });

  it('takes an answer that ends with its connection', async () => {
    await using house = await openRaw('HTTP/1.1 200 OK\r\n\r\nall of it', (socket) => socket.end());
    const told = send(house.client);
    expect([await told.ended, told.text]).toEqual(['whole', 'all of it']);
  });

  it('tells of an answer that is none', async () => {
    await using house = await openRaw('220 mail.example ESMTP\r\n\r\n');
    expect(await send(house.client).ended).toBeInstanceOf(UnexpectedResponse);
  });

  it('hands on what a handler throws', async () => {
    await using house = await openHttp(echo);
    const thrown = new Error('too large');
    const told = send(house.client, {
      onData() {
        throw thrown;
      },
    });
    expect(await told.ended).toBe(thrown);
  });

  it('refuses a header that would begin a line of its own', async () => {
    await using house = await openHttp(echo);
    const told = send(house.client, { headers: { 'x-a': 'b\r\nx-c: d' } });
    expect(await told.ended).toBeInstanceOf(TypeError);
  });

  it('tells that nobody listens', async () => {
    await using folder = await temporaryFolder();
    expect(await send(new SocketClient(folder.file('none.sock'))).ended).toMatchObject({ code: 'ENOENT' });
  });

  it('ends what is under way with the reason of its own end', async () => {
    await using house = await openHttp((_, response) => void response.write('begun'));
    const told = send(house.client);
    await waitFor('the answer to begin', () => told.text === 'begun');
    const reason = new ShuttingDown('the gateway shuts down');
    await house.client.destroy(reason);
    expect(await told.ended).toBe(reason);
    expect(await send(house.client).ended).toBeInstanceOf(ShuttingDown);
    expect(house.connections).toBe(1);
  });
});
