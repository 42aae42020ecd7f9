import { expect, it } from 'vitest';
import { gatewayIsIdle } from '../../scripts/harness/gateway-at-rest.ts';
import { silent } from '../../scripts/harness/moods.ts';
import { RawClient } from '../../scripts/harness/raw-client.ts';
import { chatOf, postOf } from '../../scripts/harness/raw-request.ts';
import { startTestGateway } from '../../scripts/harness/start-gateway.ts';
import { startFakeBackend } from '../../scripts/harness/start-stand-in-backend.ts';
import { waitFor } from '../../scripts/harness/wait-for.ts';

it('is told so, leaves the line and never reaches the backend', async () => {
  await using standIn = await startFakeBackend(silent, { slots: 1 });
  await using corral = await startTestGateway({ backend: standIn.backend, env: { QUEUE_TIMEOUT: '60ms' } });
  await using holder = await RawClient.connect(corral.port);
  holder.send(postOf(chatOf('holder')));
  await waitFor('the slot to be taken', () => standIn.open === 1);
  await using waiter = await RawClient.connect(corral.port);
  const started = performance.now();
  const answer = await waiter.send(postOf(chatOf('waiter'))).answer();
  expect(performance.now() - started).toBeGreaterThanOrEqual(55);
  expect(answer?.status).toBe(503);
  expect(JSON.parse(answer?.body ?? '').error.code).toBe('queue_timeout');
  expect(Number(answer?.headers['retry-after'])).toBeGreaterThanOrEqual(1);
  expect(corral.gateway.admission.counts).toEqual({ capacity: 1, leased: 1, waiting: 0 });
  holder.reset();
  await gatewayIsIdle(corral, standIn);
  expect(standIn.received).toHaveLength(1);
});
