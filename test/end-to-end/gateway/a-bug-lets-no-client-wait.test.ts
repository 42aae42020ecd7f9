import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { ClientResponse } from '../../../gateway/http/client-response.ts';
import { RateLimits } from '../../../gateway/limits/rate-limits.ts';
import { echo } from '../../fakes/scenarios.ts';
import { type FakeBackend, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { startTestGateway, type TestGateway } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';

let fake: FakeBackend;
let corral: TestGateway;
beforeAll(async () => {
  fake = await startFakeBackend(echo);
  corral = await startTestGateway({ backend: fake.backend });
});
afterEach(() => vi.restoreAllMocks());
afterAll(async () => {
  await corral?.stop();
  await fake.stop();
});

const send = (path: string, body: string) =>
  fetch(corral.origin + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${corral.secret}` },
    body,
    signal: AbortSignal.timeout(60_000),
  });

// The second one passes Hono.
const paths = ['/v1/chat/completions', '/v1/chat/completions?a=b'];

it.each(paths)('where an error of %s cannot be handled, the client gets another one', async (path) => {
  vi.spyOn(RateLimits.prototype, 'setTokenHeaders').mockRejectedValue(new Error('a bug'));
  const response = await send(path, '{');
  expect(response.status).toBe(500);
  expect(await response.json()).toMatchObject({ error: { code: 'internal_error' } });
  const id = response.headers.get('x-request-id');
  await waitFor('its line in the log', () => corral.logged.find((line) => line.id === id));
});

it('where no response can be written, the connection is closed', async () => {
  vi.spyOn(ClientResponse.prototype, 'writeHead').mockImplementation(() => {
    throw new TypeError('a bug');
  });
  const failure = await send('/v1/chat/completions', '{').catch((error: Error) => error);
  expect(failure).toMatchObject({ cause: { code: 'UND_ERR_SOCKET' } });
});
