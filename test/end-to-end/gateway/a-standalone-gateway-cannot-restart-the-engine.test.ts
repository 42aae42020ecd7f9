import { afterAll, beforeAll, expect, it } from 'vitest';
import { echo } from '../../fakes/scenarios.ts';
import { type FakeBackend, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { keyFileText } from '../../harness/key-file-text.ts';
import { requestGateway } from '../../harness/request-gateway.ts';
import { startTestGateway, type TestGateway, testerSecret } from '../../harness/start-gateway.ts';

const opsSecret = 'sk-ops-0123456789abcdefghijklmnopqrstuvwxyz0123';
const keys = keyFileText({ tester: { secret: testerSecret }, ops: { secret: opsSecret, scopes: ['admin'] } });

let fakeBackend: FakeBackend;
let corral: TestGateway;
beforeAll(async () => {
  fakeBackend = await startFakeBackend(echo);
  corral = await startTestGateway({ backend: fakeBackend.backend, keys });
});
afterAll(async () => {
  await corral.stop();
  await fakeBackend.stop();
});

it('a gateway that has not started llama-server rejects a restart and says why', async () => {
  const { status, headers, body } = await requestGateway(corral.origin, 'POST /admin/restart', opsSecret);
  expect([status, body.error]).toEqual([
    501,
    {
      code: 'not_supported',
      type: 'server_error',
      param: null,
      message: expect.stringContaining('runs without a supervisor, so it cannot restart llama-server'),
    },
  ]);
  expect(headers.get('x-should-retry')).toBe('false');
});

it('a restart requires the scope admin, and POST', async () => {
  const codeOf = async (request: string, secret: string) =>
    (await requestGateway(corral.origin, request, secret)).body.error?.code;
  expect(await codeOf('POST /admin/restart', testerSecret)).toBe('insufficient_scope');
  expect(await codeOf('GET /admin/restart', opsSecret)).toBe('method_not_allowed');
});
