import { expect, it } from 'vitest';
import { silent } from '../../fakes/scenarios.ts';
import { startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { chatOf, postOf } from '../../harness/raw-request.ts';
import { startTestGateway } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';

it.each(['0', '1'])('a full queue of MAX_QUEUE_SIZE=%s rejects with a retry-after', async (size) => {
  await using fake = await startFakeBackend(silent, { slots: 1 });
  await using corral = await startTestGateway({ backend: fake.backend, env: { MAX_QUEUE_SIZE: size } });
  await using holder = await RawClient.connect(corral.port);
  holder.send(postOf(chatOf('holder')));
  await waitFor('the slot to be taken', () => fake.open === 1);
  await using waiter = await RawClient.connect(corral.port);
  if (size === '1') waiter.send(postOf(chatOf('waiter')));
  await waitFor('the queue to be full', () => corral.gateway.scheduler.counts.waiting === Number(size));

  await using late = await RawClient.connect(corral.port);
  const response = await late.send(postOf(chatOf('late', { stream: true }))).response();
  expect(response?.status).toBe(503);
  expect(JSON.parse(response?.body ?? '')).toEqual({
    error: { message: 'Server busy, try again later', type: 'server_error', param: null, code: 'queue_full' },
  });
  const seconds = Number(response?.headers['retry-after']);
  expect(seconds).toBeGreaterThanOrEqual(1);
  expect(seconds).toBeLessThanOrEqual(60);
  expect(Math.ceil(Number(response?.headers['retry-after-ms']) / 1000)).toBe(seconds);
  expect(fake.received).toHaveLength(1);
});
