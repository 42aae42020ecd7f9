import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { readSettings } from '../../settings/read-settings.ts';
import { waitFor } from '../../test/harness/wait-for.ts';
import { gatewayConfig } from '../config.ts';
import { type ListeningServer, startListening } from './listen.ts';

const configFor = (port: number) =>
  gatewayConfig(readSettings({ PORT: String(port) }).settings, {
    ...{ host: '127.0.0.1', dataDir: '/nowhere', keyFile: () => '/nowhere', healthUrl: undefined },
    backendUrl: 'http://127.0.0.1:1',
  });

let opened: ListeningServer | undefined;
afterEach(() => {
  opened?.server.close();
  opened?.server.closeAllConnections();
});

async function open() {
  opened = await startListening(configFor(0));
  const connections = () =>
    new Promise<number>((resolve) => opened?.server.getConnections((_, count) => resolve(count)));
  return { opened, connections, origin: `http://127.0.0.1:${opened.port}` };
}

describe('a port that is open before requests can be handled', () => {
  it('keeps the requests that arrive, with their bodies', async () => {
    const { origin, connections, opened } = await open();
    const responses = ['one', 'two'].map((body) => fetch(origin, { method: 'POST', body }));
    await waitFor('both connections', async () => (await connections()) === 2);
    opened.serve(async (request, response) => {
      response.end(`received ${Buffer.concat(await request.toArray())}`);
    });
    responses.push(fetch(origin, { method: 'POST', body: 'three' }));
    expect(await Promise.all(responses.map(async (response) => (await response).text()))).toEqual([
      'received one',
      'received two',
      'received three',
    ]);
  });

  it('skips requests whose clients have disconnected', async () => {
    const { origin, connections, opened } = await open();
    const controller = new AbortController();
    const gone = fetch(origin, { signal: controller.signal }).catch(() => 'gone');
    let arrived = false;
    opened.server.once('request', () => {
      arrived = true;
    });
    await waitFor('the request', () => arrived);
    controller.abort();
    expect(await gone).toBe('gone');
    await waitFor('its close', async () => (await connections()) === 0);
    const handled: string[] = [];
    opened.serve((request, response) => {
      handled.push(request.url ?? '');
      response.end();
    });
    await fetch(`${origin}/later`);
    expect(handled).toEqual(['/later']);
  });

  it('rejects with the listen error when the port is in use', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const { port } = holder.address() as AddressInfo;
    await expect(startListening(configFor(port))).rejects.toMatchObject({ code: 'EADDRINUSE' });
    holder.close();
  });
});
