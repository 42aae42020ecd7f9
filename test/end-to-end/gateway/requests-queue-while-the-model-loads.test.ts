import { expect, it } from 'vitest';
import { echo } from '../../fakes/scenarios.ts';
import { startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { chatOf, postOf } from '../../harness/raw-request.ts';
import { startTestGateway } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';

it('requests queue while the model loads and are served once it is ready', async () => {
  await using fake = await startFakeBackend(echo, { slots: 2 });
  fake.health = 503;
  await using corral = await startTestGateway({ backend: fake.backend, untilReady: false });
  await waitFor('the gateway to report it as loading', () => corral.gateway.monitor.status === 'loading');
  await using chat = await RawClient.connect(corral.port);
  chat.send(postOf(chatOf('early')));
  await using count = await RawClient.connect(corral.port);
  count.send(postOf(chatOf('count'), { path: '/v1/messages/count_tokens' }));
  await waitFor('both to be queued', () => corral.gateway.scheduler.counts.waiting === 2);
  expect((await fetch(`${corral.origin}/ping`)).status).toBe(204);
  expect((await fetch(`${corral.origin}/readyz`)).status).toBe(503);
  expect(fake.received).toHaveLength(0);

  fake.health = 200;
  expect((await chat.response())?.body).toContain('early');
  expect((await count.response())?.body).toContain('count');
  expect((await fetch(`${corral.origin}/ping`)).status).toBe(200);
});

it('a request that times out in the queue while the model loads gets model_loading', async () => {
  await using fake = await startFakeBackend(echo);
  fake.health = 503;
  await using corral = await startTestGateway({
    backend: fake.backend,
    untilReady: false,
    env: { QUEUE_TIMEOUT: '50ms' },
  });
  await waitFor('the gateway to report it as loading', () => corral.gateway.monitor.status === 'loading');
  await using client = await RawClient.connect(corral.port);
  const response = await client.send(postOf(chatOf('early'))).response();
  expect(response?.status).toBe(503);
  expect(JSON.parse(response?.body ?? '').error.code).toBe('model_loading');
  expect(fake.received).toHaveLength(0);
});
