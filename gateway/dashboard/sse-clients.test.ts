import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { RawClient } from '../../test/harness/raw-client.ts';
import { waitFor } from '../../test/harness/wait-for.ts';
import { SseClients } from './sse-clients.ts';

it('collects data only while clients are connected, once for all of them, and sends what has changed', async () => {
  let collections = 0;
  const clients = new SseClients(
    async () => ({ now: ++collections, seldom: 'same' }),
    async () => ({ history: [1, 2] }),
  );
  const server = createServer((_, response) => void clients.add({ response, isAuthorized: () => true }));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const ask = async () => (await RawClient.connect(port)).send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await using first = await ask();
  await first.receives('event: now\ndata: 1\n\nevent: seldom\ndata: "same"');
  await using second = await ask();
  await second.receives('event: history\ndata: [1,2]');
  await Promise.all([first.receives('data: 2\n'), second.receives('data: 2\n')]);
  expect(first.text.match(/seldom/g)).toHaveLength(1);
  expect(second.text.match(/seldom/g)).toHaveLength(1);
  first.reset();
  second.reset();
  await waitFor('all clients to disconnect', () => clients.count === 0);
  const before = collections;
  await using third = await ask();
  await third.receives(`data: ${before + 1}\n`);
  clients.close();
  await third.receives('0\r\n\r\n');
  server.close();
  server.closeAllConnections();
});
