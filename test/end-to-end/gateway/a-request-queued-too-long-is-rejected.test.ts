import { expect, it } from 'vitest';
import { silent } from '../../fakes/scenarios.ts';
import { startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { gatewayIsIdle } from '../../harness/gateway-idle.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { chatOf, postOf } from '../../harness/raw-request.ts';
import { startTestGateway } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';

it('a request that has queued for QUEUE_TIMEOUT is rejected and never reaches the backend', async () => {
  await using fake = await startFakeBackend(silent, { slots: 1 });
  await using corral = await startTestGateway({ backend: fake.backend, env: { QUEUE_TIMEOUT: '60ms' } });
  await using holder = await RawClient.connect(corral.port);
  holder.send(postOf(chatOf('holder')));
  await waitFor('the slot to be taken', () => fake.open === 1);
  await using waiter = await RawClient.connect(corral.port);
  const started = performance.now();
  const response = await waiter.send(postOf(chatOf('waiter'))).response();
  expect(performance.now() - started).toBeGreaterThanOrEqual(55);
  expect(response?.status).toBe(503);
  expect(JSON.parse(response?.body ?? '').error.code).toBe('queue_timeout');
  expect(Number(response?.headers['retry-after'])).toBeGreaterThanOrEqual(1);
  expect(corral.gateway.scheduler.counts).toEqual({ capacity: 1, leased: 1, waiting: 0 });
  holder.reset();
  await gatewayIsIdle(corral, fake);
  expect(fake.received).toHaveLength(1);
});
