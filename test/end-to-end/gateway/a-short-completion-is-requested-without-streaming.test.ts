import { expect, it } from 'vitest';
import { echo } from '../../fakes/scenarios.ts';
import { startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { chatOf, postOf } from '../../harness/raw-request.ts';
import { startTestGateway } from '../../harness/start-gateway.ts';

it('only a long completion is requested as a stream, so that llama-server notices at once that its client has disconnected', async () => {
  await using fakeBackend = await startFakeBackend(echo);
  await using corral = await startTestGateway({ backend: fakeBackend.backend });
  const requestsStream = async (fields: object) => {
    await using client = await RawClient.connect(corral.port);
    expect((await client.send(postOf(chatOf('hello', fields))).response())?.status).toBe(200);
    return fakeBackend.received.at(-1)?.body.includes('"stream":true');
  };
  expect(await requestsStream({ max_tokens: 32 })).toBe(false);
  expect(await requestsStream({ max_completion_tokens: 16, n: 2 })).toBe(false);
  expect(await requestsStream({ max_tokens: 33 })).toBe(true);
  expect(await requestsStream({ max_tokens: 16, n: 3 })).toBe(true);
  expect(await requestsStream({ max_tokens: -1 })).toBe(true);
  expect(await requestsStream({})).toBe(true);
});
