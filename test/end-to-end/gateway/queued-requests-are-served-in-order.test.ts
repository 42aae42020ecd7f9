import { expect, it } from 'vitest';
import { tokensOf } from '../../fakes/scenarios.ts';
import { startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { chatOf, postOf } from '../../harness/raw-request.ts';
import { startTestGateway } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';

it('queued requests are served in the order of arrival, and one whose client has left is skipped', async () => {
  const served: string[] = [];
  const waiting: (() => void)[] = [];
  await using fake = await startFakeBackend(
    (request, response) => {
      served.push(tokensOf(request));
      waiting.push(() => response.end('{}'));
    },
    { slots: 1 },
  );
  await using corral = await startTestGateway({ backend: fake.backend });
  const clients: RawClient[] = [];
  for (let n = 0; n < 6; n++) {
    const client = await RawClient.connect(corral.port);
    clients.push(client.send(postOf(chatOf(`client ${n}`))));
    await waitFor('the request to be served or queued', () => {
      const { leased, waiting } = corral.gateway.scheduler.counts;
      return leased + waiting === n + 1;
    });
  }
  clients[3]?.reset();
  await waitFor('the request to leave the queue', () => corral.gateway.scheduler.counts.waiting === 4);
  for (let n = 1; n <= 5; n++) {
    const next = await waitFor('the next to be served', () => waiting.shift());
    next();
  }
  expect(served).toEqual(['client 0', 'client 1', 'client 2', 'client 4', 'client 5']);
  for (const n of [0, 1, 2, 4, 5]) expect((await clients[n]?.response())?.status).toBe(200);
  for (const client of clients) client.socket.destroy();
});
