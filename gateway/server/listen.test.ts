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

describe('a port that is open before there is anybody to answer', () => {
  it('keeps those who come, and what they have sent', async () => {
    const { origin, connections, opened } = await open();
    const answers = ['one', 'two'].map((body) => fetch(origin, { method: 'POST', body }));
    await waitFor('both', async () => (await connections()) === 2);
    opened.serve(async (request, response) => {
      response.end(`heard ${Buffer.concat(await request.toArray())}`);
    });
    answers.push(fetch(origin, { method: 'POST', body: 'three' }));
    expect(await Promise.all(answers.map(async (answer) => (await answer).text()))).toEqual([
      'heard one',
      'heard two',
      'heard three',
    ]);
  });

  it('forgets those who leave', async () => {
    const { origin, connections, opened } = await open();
    const leaver = new AbortController();
    const gone = fetch(origin, { signal: leaver.signal }).catch(() => 'gone');
    let asked = false;
    opened.server.once('request', () => {
      asked = true;
    });
    await waitFor('the question', () => asked);
    leaver.abort();
    expect(await gone).toBe('gone');
    await waitFor('its end', async () => (await connections()) === 0);
    const heard: string[] = [];
    opened.serve((request, response) => {
      heard.push(request.url ?? '');
      response.end();
    });
    await fetch(`${origin}/later`);
    expect(heard).toEqual(['/later']);
  });

  it('is not had where somebody else has it', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const { port } = holder.address() as AddressInfo;
    await expect(startListening(configFor(port))).rejects.toMatchObject({ code: 'EADDRINUSE' });
    holder.close();
  });
});
