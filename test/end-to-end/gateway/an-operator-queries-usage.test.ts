import { afterAll, beforeAll, expect, it } from 'vitest';
import { utcDay } from '../../../gateway/api/usage.ts';
import { DAY } from '../../../settings/durations.ts';
import { type FakeBackend, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { keyFileText } from '../../harness/key-file-text.ts';
import { requestGateway } from '../../harness/request-gateway.ts';
import { startTestGateway, type TestGateway } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';

let fakeBackend: FakeBackend;
let corral: TestGateway;
beforeAll(async () => {
  fakeBackend = await startFakeBackend((_, response) => {
    response
      .setHeader('content-type', 'application/json')
      .end('{"usage":{"prompt_tokens":30,"completion_tokens":20}}');
  });
  corral = await startTestGateway({
    backend: fakeBackend.backend,
    keys: keyFileText({ app: { secret: 'sk-app' }, ops: { secret: 'sk-ops', scopes: ['admin'] } }),
    env: { COST_PER_HOUR: '0.5' },
  });
  await fetch(`${corral.origin}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: 'Bearer sk-app', 'content-type': 'application/json' },
    body: '{"messages":[]}',
  });
  await waitFor('the usage', () => corral.gateway.ledger.today('app', Date.now()).requests === 1);
});
afterAll(async () => {
  await corral.stop();
  await fakeBackend.stop();
});

const today = () => new Date().toISOString().slice(0, 10);

it('GET /admin/usage reports the usage of one key including its last request', async () => {
  const { status, body } = await requestGateway(corral.origin, 'GET /admin/usage?key=app&since=0d', 'sk-ops');
  expect(status).toBe(200);
  const values = { requests: 1, errors: 0, inputTokens: 30, cachedTokens: 0, outputTokens: 20 };
  expect(body).toMatchObject({
    since: today(),
    by: 'day',
    costPerHour: 0.5,
    usage: [{ day: today(), ...values }],
    total: values,
    problem: null,
  });
});

it('GET /admin/usage reports all keys and when each was last used', async () => {
  const { body } = await requestGateway(corral.origin, 'GET /admin/usage', 'sk-ops');
  const [app] = body.usage as { key: string; lastUsed: string }[];
  expect(app).toMatchObject({ key: 'app', lastUsed: expect.stringContaining(today()) });
});

it('GET /admin/usage sums a range by month and key', async () => {
  const { body } = await requestGateway(
    corral.origin,
    'GET /admin/usage?since=0d&until=0d&by=month,key',
    'sk-ops',
  );
  expect(body).toMatchObject({
    ...{ since: today(), until: utcDay(Date.now() + DAY), by: 'month,key' },
    usage: [{ month: today().slice(0, 7), key: 'app', requests: 1 }, { key: 'ops' }],
  });
});

it.each(['until=2020-01-01', 'until=soon', 'by=week'])('GET /admin/usage rejects %s', async (query) => {
  const { status, body } = await requestGateway(corral.origin, `GET /admin/usage?${query}`, 'sk-ops');
  expect([status, body.error?.code]).toEqual([400, 'invalid_value']);
});

it('GET /admin/usage rejects invalid parameters and names the valid ones', async () => {
  const { status, body } = await requestGateway(corral.origin, 'GET /admin/usage?since=soon', 'sk-ops');
  expect([status, body.error?.code]).toEqual([400, 'invalid_value']);
  expect(body.error?.message).toContain('7d');
});

it('GET /admin/usage requires the admin scope', async () => {
  const { status, body } = await requestGateway(corral.origin, 'GET /admin/usage', 'sk-app');
  expect([status, body.error?.code]).toEqual([403, 'insufficient_scope']);
});
