import { expect, it } from 'vitest';
import { startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { askCached } from '../../harness/ask-cached.ts';
import { gatewayIsIdle } from '../../harness/gateway-idle.ts';
import { keyFileText } from '../../harness/key-file-text.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { postOf } from '../../harness/raw-request.ts';
import { requestGateway } from '../../harness/request-gateway.ts';
import { startTestGateway, testerSecret } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';

const opsSecret = 'sk-ops-0123456789abcdefghijklmnopqrstuvwxyz0123';

it('beyond the memory for bodies the engine answers, and every client gets all in the end', async () => {
  const vectors = JSON.stringify({ object: 'list', data: [{ index: 0, embedding: 'x'.repeat(12_000_000) }] });
  await using fake = await startFakeBackend(
    (_, response) => void response.setHeader('content-type', 'application/json').end(vectors),
  );
  await using corral = await startTestGateway({
    backend: fake.backend,
    keys: keyFileText({
      tester: { secret: testerSecret },
      ops: { secret: opsSecret, scopes: ['admin'] },
    }),
    env: { RESPONSE_CACHE: 'memory', MAX_REQUEST_BODIES_SIZE_PER_KEY: '30MiB' },
  });
  const [body, path] = [{ input: 'x' }, '/v1/embeddings'];
  const ask = () => askCached(corral.origin, testerSecret, body, { path });
  const { gateway } = corral;
  expect((await ask()).cache).toBe('miss');

  const clients = await Promise.all(Array.from({ length: 4 }, () => RawClient.connect(corral.port)));
  for (const { socket } of clients) socket.pause();
  for (const client of clients) client.send(postOf(body, { path }));
  await waitFor('two of them to be sent to the engine', () => fake.received.length === 3);
  expect(gateway.bodyBudget.bytes).toBeGreaterThan(2 * vectors.length);
  expect(gateway.bodyBudget.bytes).toBeLessThan(30 * 1024 ** 2);

  for (const { socket } of clients) socket.resume();
  const answers = await Promise.all(clients.map((client) => client.response()));
  expect(answers.map((answer) => answer?.body === vectors)).toEqual([true, true, true, true]);
  expect(answers.map((answer) => answer?.headers['x-corral-cache']).sort()).toEqual([
    ...['hit', 'hit', 'miss', 'miss'],
  ]);
  await gatewayIsIdle(corral, fake);
  await waitFor('the memory to be free', () => gateway.bodyBudget.bytes === 0);
  expect((await ask()).cache).toBe('hit');

  const [cancelled] = clients;
  cancelled?.socket.pause();
  cancelled?.send(postOf(body, { path, headers: ['X-Request-Id: unread'] }));
  await waitFor('it to be cancelled', async () => {
    const { status } = await requestGateway(corral.origin, 'DELETE /admin/requests/unread', opsSecret);
    return status === 200;
  });
  await waitFor('its memory to be free', () => gateway.bodyBudget.bytes === 0);
  for (const { socket } of clients) socket.destroy();
});
