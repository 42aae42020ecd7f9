import { once } from 'node:events';
import { createConnection, createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type HealthServer, startHealthServer } from './health-server.ts';

let running: HealthServer | undefined;
afterEach(() => running?.close());

async function started(options: { healthCheckPath?: string } = {}) {
  running = await startHealthServer({ host: '127.0.0.1', port: 0, ...options });
  return { server: running, origin: `http://127.0.0.1:${running.port}` };
}

describe('the health server', () => {
  it('says 204 from the first moment, before its owner knows anything', async () => {
    const { origin } = await started();
    const ping = await fetch(`${origin}/ping`);
    expect([ping.status, await ping.text()]).toEqual([204, '']);
    const status = await fetch(`${origin}/status`);
    expect(await status.json()).toEqual({ standing: 'starting' });
  });

  it('shows what its owner knows at the moment of the question, whatever the query string', async () => {
    const { server, origin } = await started({ healthCheckPath: '/health' });
    let restarts = 0;
    server.show(() => ({ standing: 'ready', everReady: true, details: { restarts } }));
    restarts = 3;
    const status = await fetch(`${origin}/status?from=a-platform`);
    expect(status.headers.get('content-type')).toBe('application/json');
    expect(await status.json()).toEqual({ standing: 'ready', restarts: 3 });
    expect((await fetch(`${origin}/health?x=/ping`)).status).toBe(200);
  });

  it('answers HEAD like GET, without the body', async () => {
    const { server, origin } = await started();
    server.show(() => ({ standing: 'ready', everReady: true, details: {} }));
    const head = await fetch(`${origin}/ping`, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
  });

  it('closes although a client keeps its connection', async () => {
    const { server } = await started();
    const client = createConnection(server.port, '127.0.0.1');
    await once(client, 'connect');
    await Promise.all([server.close(), once(client, 'close')]);
    running = undefined;
  });

  it('rejects where the port is taken', async () => {
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
