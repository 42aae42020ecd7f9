import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import {
  type AddressInfo,
  connect,
  createServer as createRawServer,
  type Server,
  type Socket,
} from 'node:net';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/harness/temporary-folder.ts';
import { waitFor } from '../../test/harness/wait-for.ts';
import { BackendPool, type BackendPoolOptions } from './backend-pool.ts';
import {
  ClientDisconnected,
  ConnectTimeout,
  classifyFailure,
  MalformedResponse,
  ShuttingDown,
  TimeoutExceeded,
} from './failure.ts';
import type { UpstreamRequest } from './upstream-request.ts';

type Transport = 'a unix socket' | 'TCP';

/** A pool, and the server at the other end of its connections. */
async function start(transport: Transport, server: Server, options?: BackendPoolOptions) {
  const folder = await temporaryFolder();
  const path = folder.file('x.sock');
  const sockets = new Set<Socket>();
  let connections = 0;
  server.on('connection', (socket: Socket) => {
    connections += 1;
    sockets.add(socket.once('close', () => sockets.delete(socket)));
  });
  if (transport === 'TCP') server.listen(0, '127.0.0.1');
  else server.listen(path);
  await once(server, 'listening');
  const host = transport === 'TCP' ? `127.0.0.1:${(server.address() as AddressInfo).port}` : 'llama-server';
  const socketPath = transport === 'TCP' ? undefined : path;
  const address = { origin: `http://${host}`, socketPath };
  const pool = new BackendPool(address, options);
  return {
    pool,
    host,
    address,
    sockets,
    get connections() {
      return connections;
    },
    async [Symbol.asyncDispose]() {
      pool.destroy();
      server.close();
      for (const socket of sockets) socket.destroy();
      await folder[Symbol.asyncDispose]();
    },
  };
}

interface Sent {
  readonly body?: Buffer | string;
  readonly closesConnection?: boolean;
  readonly headers?: Record<string, string>;
  readonly headersTimeout?: number;
  readonly bodyTimeout?: number;
  readonly onBody?: (request: UpstreamRequest | undefined, text: string) => void;
}

/** Sends one request and reports everything that its handler received. */
function send(pool: BackendPool, { onBody, headers = {}, body = '{}', ...options }: Sent = {}) {
  const { promise, resolve } = Promise.withResolvers<Error | 'complete'>();
  const result = {
    status: 0,
    text: '',
    ended: promise,
    request: undefined as UpstreamRequest | undefined,
  };
  result.request = pool.send(
    { path: '/v1/x', headers: Object.entries(headers).flat(), body: Buffer.from(body), ...options },
    {
      onHead(status) {
        result.status = status;
      },
      onBody(chunk) {
        result.text += chunk.toString();
        onBody?.(result.request, chunk.toString());
      },
      onEnd: () => resolve('complete'),
      onError: resolve,
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

describe.each<Transport>(['a unix socket', 'TCP'])('BackendPool over %s', (transport) => {
  const startHttp = (listener: RequestListener, options?: BackendPoolOptions) =>
    start(transport, createServer(listener), options);

  /** A server that responds to each request with these bytes, and then calls `then`. */
  const startRaw = (bytes: string, then: (socket: Socket) => void = () => {}) =>
    start(
      transport,
      createRawServer((socket) => socket.once('data', () => socket.write(bytes, () => then(socket)))),
    );

  it('sends method, path, headers and body, and reuses the connection', async () => {
    await using server = await startHttp(echo);
    for (const body of ['{"a":"ü"}', Buffer.from('{}'), Buffer.alloc(300_000, 'x')]) {
      const result = send(server.pool, {
        body,
        headers: { 'x-request-id': 'one', authorization: 'Bearer y' },
      });
      expect(await result.ended).toBe('complete');
      expect(result.status).toBe(200);
      expect(JSON.parse(result.text)).toMatchObject({
        url: '/v1/x',
        method: 'POST',
        headers: { 'x-request-id': 'one', authorization: 'Bearer y', host: server.host },
        body: body.toString(),
      });
    }
    expect(server.connections).toBe(1);
  });

  it('opens one connection per running request', async () => {
    await using server = await startHttp(echo);
    const all = Array.from({ length: 20 }, () => send(server.pool));
    expect(await Promise.all(all.map(({ ended }) => ended))).toEqual(new Array(20).fill('complete'));
    expect(server.connections).toBe(20);
  });

  /** Sends the request of a stream, and returns what its connection is said to do afterwards. */
  async function sendStream(pool: BackendPool): Promise<unknown> {
    const sent = send(pool, { closesConnection: true });
    return (await sent.ended) === 'complete' ? JSON.parse(sent.text).headers.connection : undefined;
  }

  const closing: RequestListener = async (request, response) => {
    response.once('close', () => request.socket.destroySoon());
    await echo(request, response);
  };

  it('closes the connection after each stream of a backend that did so once', async () => {
    await using server = await startHttp(closing);
    expect(await sendStream(server.pool)).toBe('keep-alive');
    await waitFor('that to be known', async () => (await sendStream(server.pool)) === 'close');
    const before = server.connections;
    for (let n = 1; n < 4; n++)
      expect([await sendStream(server.pool), server.connections]).toEqual(['close', before + n]);
    expect([await send(server.pool).ended, server.connections]).toEqual(['complete', before + 4]);
  });

  it('reuses no connection after a stream before it knows that the backend keeps it', async () => {
    await using server = await startHttp(echo);
    for (let n = 1; n < 4; n++)
      expect([await sendStream(server.pool), server.connections]).toEqual(['keep-alive', n]);
    await waitFor('those three to be given up', () => server.sockets.size === 0);
    for (let n = 1; n < 4; n++)
      expect([await sendStream(server.pool), server.connections]).toEqual(['keep-alive', 4]);
  });

  it('reuses no connection any more once a backend that kept them closes one', async () => {
    let listener = echo;
    await using server = await startHttp((request, response) => listener(request, response));
    await sendStream(server.pool);
    await waitFor('the first to be given up', () => server.sockets.size === 0);
    listener = closing;
    await sendStream(server.pool);
    await waitFor('that to be known', async () => (await sendStream(server.pool)) === 'close');
    listener = echo;
    const before = server.connections;
    for (let n = 1; n < 4; n++)
      expect([await sendStream(server.pool), server.connections]).toEqual(['close', before + n]);
  });

  it('sends many bodies at once over connections that exist', async () => {
    await using server = await startHttp(echo);
    for (let round = 0; round < 3; round++) {
      const bodies = [4, 5000, 60_000, 70_000].map((size, n) => `${round} ${n}`.repeat(size / 4));
      const all = bodies.map((body) => send(server.pool, { body }));
      await Promise.all(all.map(({ ended }) => ended));
      expect(all.map(({ text }) => JSON.parse(text).body)).toEqual(bodies);
    }
    expect(server.connections).toBe(4);
  });

  it('forgets a connection that the other side closes', async () => {
    await using server = await startHttp(echo);
    expect(await send(server.pool).ended).toBe('complete');
    for (const socket of server.sockets) socket.destroy();
    await waitFor('the connection to be closed', () => server.sockets.size === 0);
    const again = send(server.pool);
    expect([await again.ended, server.connections]).toEqual(['complete', 2]);
  });

  it('closes the connection of an aborted request, and reports the reason', async () => {
    await using server = await startHttp((_, response) => void response.write('begun'));
    const result = send(server.pool);
    await waitFor('the response to begin', () => result.text === 'begun');
    const reason = new Error('nobody waits');
    result.request?.abort(reason);
    expect(await result.ended).toBe(reason);
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
    const result = send(server.pool, {
      onBody(request) {
        if (isHeld) return;
        isHeld = true;
        request?.pause();
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
    result.request?.resume();
    expect(await result.ended).toBe('complete');
    expect(result.text).toHaveLength(size);
  });

  it.each([
    ['the head of the response', ''],
    ['the rest of the body', 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab'],
  ])('fails with a timeout if %s does not arrive', async (_, bytes) => {
    await using server = await startRaw(bytes);
    const result = send(server.pool, { headersTimeout: 100, bodyTimeout: 100 });
    expect(await result.ended).toBeInstanceOf(TimeoutExceeded);
    await waitFor('the connection to be closed', () => server.sockets.size === 0);
  });

  it('reports a response that ends before it is complete', async () => {
    await using server = await startRaw('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab', (socket) =>
      socket.end(),
    );
    const result = send(server.pool);
    expect(await result.ended).toMatchObject({ message: 'the backend closed the connection' });
    expect(result.text).toBe('ab');
  });

  it('accepts a response that ends with its connection', async () => {
    await using server = await startRaw('HTTP/1.1 200 OK\r\n\r\nall of it', (socket) => socket.end());
    const result = send(server.pool);
    expect([await result.ended, result.text]).toEqual(['complete', 'all of it']);
  });

  it('rejects bytes that are not an HTTP response', async () => {
    await using server = await startRaw('220 mail.example ESMTP\r\n\r\n');
    expect(await send(server.pool).ended).toBeInstanceOf(MalformedResponse);
  });

  it('reports an error that its handler throws', async () => {
    await using server = await startHttp(echo);
    const thrown = new Error('too large');
    const result = send(server.pool, {
      onBody() {
        throw thrown;
      },
    });
    expect(await result.ended).toBe(thrown);
  });

  it('rejects a header value with a line break', async () => {
    await using server = await startHttp(echo);
    const result = send(server.pool, { headers: { 'x-a': 'b\r\nx-c: d' } });
    expect(await result.ended).toBeInstanceOf(TypeError);
  });

  it('reports that nothing listens', async () => {
    const server = await startHttp(echo);
    await server[Symbol.asyncDispose]();
    const pool = new BackendPool(server.address);
    const error = await send(pool).ended;
    expect(error).toMatchObject({ code: transport === 'TCP' ? 'ECONNREFUSED' : 'ENOENT' });
    expect(classifyFailure(error).kind).toBe('unreachable');
  });

  it('keeps no connection longer than the backend says', async () => {
    await using server = await startHttp((request, response) => {
      response.setHeader('keep-alive', 'timeout=1');
      return echo(request, response);
    });
    await send(server.pool).ended;
    await waitFor('the connection to be closed', () => server.sockets.size === 0);
    expect(await send(server.pool).ended).toBe('complete');
  });

  it('skips an interim response', async () => {
    await using server = await startRaw(
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok',
    );
    const result = send(server.pool);
    expect([await result.ended, result.status, result.text]).toEqual(['complete', 200, 'ok']);
  });

  it('receives chunks with extensions and trailers, and reuses the connection', async () => {
    await using server = await startRaw(
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2;a=b\r\nok\r\n0\r\nx: y\r\n\r\n',
    );
    const result = send(server.pool);
    expect([await result.ended, result.text]).toEqual(['complete', 'ok']);
    expect(server.sockets.size).toBe(1);
  });

  it('ends running requests when it is destroyed, with the reason', async () => {
    await using server = await startHttp((_, response) => void response.write('begun'));
    const result = send(server.pool);
    await waitFor('the response to begin', () => result.text === 'begun');
    const reason = new ShuttingDown('the gateway shuts down');
    server.pool.destroy(reason);
    expect(await result.ended).toBe(reason);
    expect(await send(server.pool).ended).toBeInstanceOf(ShuttingDown);
    expect(server.connections).toBe(1);
  });
});

describe('BackendPool over TCP', () => {
  it('finds the one of several addresses of a host name that accepts connections', async () => {
    await using server = await start('TCP', createServer(echo));
    const origin = server.address.origin.replace('127.0.0.1', 'localhost');
    const pool = new BackendPool({ origin, socketPath: undefined });
    const result = send(pool);
    expect(await result.ended).toBe('complete');
    expect(JSON.parse(result.text).headers.host).toMatch(/^localhost:\d+$/);
    pool.destroy();
  });

  it('reports a host name that does not exist as unreachable', async () => {
    const pool = new BackendPool({ origin: 'http://nowhere.invalid:1', socketPath: undefined });
    expect(classifyFailure(await send(pool).ended).kind).toBe('unreachable');
  });

  it('reports a connection that is reset with the request as broken off', async () => {
    await using server = await start(
      'TCP',
      createRawServer((socket) => socket.once('data', () => socket.resetAndDestroy())),
    );
    expect(classifyFailure(await send(server.pool).ended).kind).toBe('broke-off');
  });

  it('takes no requests on a connection that is too old', async () => {
    await using server = await start('TCP', createServer(echo), { maxAgeMs: 1 });
    for (let n = 1; n < 4; n++)
      expect([await send(server.pool).ended, server.connections]).toEqual(['complete', n]);
    await waitFor('all to be closed', () => server.sockets.size === 0);
  });

  it('gives up a connection that is not made in time, and sends nothing', async () => {
    await using server = await startDeaf();
    const pool = new BackendPool(server.address, { connectTimeoutMs: 100 });
    const error = await send(pool).ended;
    expect(error).toBeInstanceOf(ConnectTimeout);
    expect(classifyFailure(error).kind).toBe('unreachable');
  });

  it('gives up a connection that is not made when its request is aborted', async () => {
    await using server = await startDeaf();
    const pool = new BackendPool(server.address, { connectTimeoutMs: 3_600_000 });
    const result = send(pool);
    result.request?.abort(new ClientDisconnected());
    expect(await result.ended).toBeInstanceOf(ClientDisconnected);
  });
});

/** A listener that accepts no connection, with as many that wait as it allows. */
async function startDeaf() {
  const worker = new Worker(
    `const { parentPort } = require('node:worker_threads');
    const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
      parentPort.postMessage(server.address().port);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });`,
    { eval: true },
  );
  const [port] = (await once(worker, 'message')) as [number];
  const waiting: Socket[] = [];
  await waitFor('a connection that has to wait', async () => {
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    waiting.push(socket);
    const { promise, resolve } = Promise.withResolvers<boolean>();
    socket.once('connect', () => resolve(false));
    setTimeout(() => resolve(true), 300);
    return promise;
  });
  return {
    address: { origin: `http://127.0.0.1:${port}`, socketPath: undefined },
    async [Symbol.asyncDispose]() {
      for (const socket of waiting) socket.destroy();
      await worker.terminate();
    },
  };
}
