import { once } from 'node:events';
import { Agent, createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { describe, expect, it } from 'vitest';
import { freePort } from '../test/harness/free-port.ts';
import { probeGateway } from './probe-gateway.ts';

async function sightOf(server: Server, timeoutMs = 60_000): Promise<string> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const sights = [await probeGateway({ host: '127.0.0.1', port, agent, timeoutMs })];
  sights.push(await probeGateway({ host: '127.0.0.1', port, agent, timeoutMs }));
  agent.destroy();
  server.close();
  expect(sights[1]).toBe(sights[0]);
  return sights[0] ?? '';
}

describe('a gateway is alive', () => {
  it.each([200, 404, 503])('if it responds, even with %d', async (status) => {
    expect(await sightOf(createHttpServer((_, response) => response.writeHead(status).end('{}')))).toBe(
      'alive',
    );
  });

  it('if it accepts the connection and closes it, as with too many of them', async () => {
    expect(await sightOf(createServer((socket) => socket.destroy()))).toBe('alive');
    expect(await sightOf(createServer((socket) => socket.resetAndDestroy()))).toBe('alive');
  });

  it('if it responds with something other than HTTP', async () => {
    expect(await sightOf(createServer((socket) => socket.end('no HTTP\r\n\r\n')))).toBe('alive');
  });
});

describe('a gateway is silent', () => {
  it('if it accepts the connection and does not respond', async () => {
    const held = createServer(() => {});
    held.unref();
    expect(await sightOf(held, 50)).toBe('silent');
  });

  it('if nothing listens', async () => {
    const options = { host: '127.0.0.1', port: await freePort(), agent: new Agent(), timeoutMs: 60_000 };
    expect(await probeGateway(options)).toBe('silent');
  });
});
