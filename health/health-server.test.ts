import { once } from 'node:events';
import { createConnection, createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { waitFor } from '../test/harness/wait-for.ts';
import { type HealthServer, startHealthServer } from './health-server.ts';

let running: HealthServer | undefined;
afterEach(() => running?.close());

async function started(options: { healthCheckPath?: string; idleTimeoutMs?: number } = {}) {
  running = await startHealthServer({ host: '127.0.0.1', port: 0, ...options });
  return { server: running, origin: `http://127.0.0.1:${running.port}` };
}

describe('the health server', () => {
  it('responds with 204 from the start, before it has a snapshot source', async () => {
    const { origin } = await started();
    const ping = await fetch(`${origin}/ping`);
    expect([ping.status, await ping.text()]).toEqual([204, '']);
    const status = await fetch(`${origin}/status`);
    expect(await status.json()).toEqual({ standing: 'starting' });
  });

  it('shows the snapshot at the moment of the request, whatever the query string', async () => {
    const { server, origin } = await started({ healthCheckPath: '/health' });
    let restarts = 0;
    server.setSnapshotSource(() => ({ status: 'ready', everReady: true, details: { restarts } }));
    restarts = 3;
    const status = await fetch(`${origin}/status?from=a-platform`);
    expect(status.headers.get('content-type')).toBe('application/json');
    expect(await status.json()).toEqual({ standing: 'ready', restarts: 3 });
    expect((await fetch(`${origin}/health?x=/ping`)).status).toBe(200);
  });

  it('responds to HEAD like to GET, without the body', async () => {
    const { server, origin } = await started();
    server.setSnapshotSource(() => ({ status: 'ready', everReady: true, details: {} }));
    const head = await fetch(`${origin}/ping`, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
  });

  it('closes even if a client keeps its connection', async () => {
    const { server } = await started();
    const client = createConnection(server.port, '127.0.0.1');
    await once(client, 'connect');
    await Promise.all([server.close(), once(client, 'close')]);
    running = undefined;
  });

  it.each([
    ['send nothing', ''],
    ['have sent half a head', 'GET /ping HTTP/1.1\r\nHost: x\r\nX-'],
    ['have asked once', 'GET /ping HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['have sent half a body', 'POST /ping HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nx'],
  ])('answers probes in bounded room while 300 connections %s', async (_, bytes) => {
    const { server, origin } = await started({ idleTimeoutMs: 3_600_000 });
    const clients = [];
    let open = 0;
    for (let n = 0; n < 300; n++) {
      const client = createConnection(server.port, '127.0.0.1').on('error', () => {});
      client.on('close', () => (open -= 1)).resume();
      await once(client, 'connect');
      open += 1;
      client.write(bytes);
      clients.push(client);
    }
    for (const path of ['/ping', '/livez', '/status'])
      expect((await fetch(origin + path)).status).toBeLessThan(300);
    await waitFor('the others to be gone', () => open <= 12);
    for (const client of clients) client.destroy();
  });

  it.each([
    ['sends its head slowly', 'GET /ping HTTP/1.1\r\nHost: x\r\nX-'],
    ['sends nothing', ''],
    ['does not end its body', 'POST /ping HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['sends too large a head', `GET /ping HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(10_000)}\r\n\r\n`],
    ['asked and stays', 'GET /ping HTTP/1.1\r\nHost: x\r\n\r\n'],
  ])('closes the connection of one who %s', async (_, bytes) => {
    const { server } = await started({ idleTimeoutMs: 200 });
    const client = createConnection(server.port, '127.0.0.1').on('error', () => {});
    const closed = once(client.resume(), 'close');
    client.write(bytes);
    await closed;
  });

  it('rejects if the port is in use', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const address = holder.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    await expect(startHealthServer({ host: '127.0.0.1', port })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
    holder.close();
  });
});
