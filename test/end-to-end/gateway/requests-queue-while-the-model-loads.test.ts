import { expect, it } from 'vitest';
import { echo } from '../../fakes/scenarios.ts';
import { startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { chatOf, postOf } from '../../harness/raw-request.ts';
import { startTestGateway } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';

it('holds requests while the backend loads and serves them once it is ready', async () => {
  await using standIn = await startFakeBackend(echo, { slots: 2 });
  standIn.health = 503;
  await using corral = await startTestGateway({ backend: standIn.backend, untilReady: false });
  await waitFor('the gateway to see it load', () => corral.gateway.watch.status === 'loading');
  await using chat = await RawClient.connect(corral.port);
  chat.send(postOf(chatOf('early')));
  await using count = await RawClient.connect(corral.port);
  count.send(postOf(chatOf('count'), { path: '/v1/messages/count_tokens' }));
  await waitFor('both to wait', () => corral.gateway.scheduler.counts.waiting === 2);
  expect((await fetch(`${corral.origin}/ping`)).status).toBe(204);
  expect((await fetch(`${corral.origin}/readyz`)).status).toBe(503);
  expect(standIn.received).toHaveLength(0);

  standIn.health = 200;
  expect((await chat.answer())?.body).toContain('early');
  expect((await count.answer())?.body).toContain('count');
  expect((await fetch(`${corral.origin}/ping`)).status).toBe(200);
});

it('says that the model loads when the wait is over before it is ready', async () => {
  await using standIn = await startFakeBackend(echo);
  standIn.health = 503;
  await using corral = await startTestGateway({
    backend: standIn.backend,
    untilReady: false,
    env: { QUEUE_TIMEOUT: '50ms' },
  });
  await waitFor('the gateway to see it load', () => corral.gateway.watch.status === 'loading');
  await using client = await RawClient.connect(corral.port);
  const answer = await client.send(postOf(chatOf('early'))).answer();
  expect(answer?.status).toBe(503);
  expect(JSON.parse(answer?.body ?? '').error.code).toBe('model_loading');
  expect(standIn.received).toHaveLength(0);
});
