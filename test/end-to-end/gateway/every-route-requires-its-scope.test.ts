import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apiRoutes } from '../../../gateway/api/route-table.ts';
import { type Scope, scopes } from '../../../keys/key.ts';
import { echo } from '../../fakes/scenarios.ts';
import { type FakeBackend, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { keyFileText } from '../../harness/key-file-text.ts';
import { requestGateway } from '../../harness/request-gateway.ts';
import { startTestGateway, type TestGateway } from '../../harness/start-gateway.ts';

const secretOf = (scope: Scope) => `sk-${scope}-0123456789abcdefghijklmnopqrstuvwxyz0123`;

/** A request has passed authentication if its status is none of these, although it makes no sense otherwise. */
const closed = [401, 403];

const routes: [request: string, scope: Scope][] = [
  ...apiRoutes.flatMap(({ paths, scope }) => paths.map((path): [string, Scope] => [`POST ${path}`, scope])),
  ['GET /v1/models', 'inference'],
  ['GET /models', 'inference'],
  ['GET /v1/models/fake-model', 'inference'],
  ['GET /models/fake-model', 'inference'],
  ...['/v1', ''].flatMap((base): [string, Scope][] => [
    [`POST ${base}/files`, 'batch'],
    [`GET ${base}/files`, 'batch'],
    [`GET ${base}/files/none`, 'batch'],
    [`DELETE ${base}/files/none`, 'batch'],
    [`GET ${base}/files/none/content`, 'batch'],
    [`POST ${base}/batches`, 'batch'],
    [`GET ${base}/batches`, 'batch'],
    [`GET ${base}/batches/none`, 'batch'],
    [`POST ${base}/batches/none/cancel`, 'batch'],
    [`GET ${base}/responses/none`, 'inference'],
    [`DELETE ${base}/responses/none`, 'inference'],
    [`GET ${base}/responses/none/input_items`, 'inference'],
    [`POST ${base}/responses/none/cancel`, 'inference'],
    [`POST ${base}/conversations`, 'inference'],
    [`GET ${base}/conversations/none`, 'inference'],
    [`POST ${base}/conversations/none`, 'inference'],
    [`DELETE ${base}/conversations/none`, 'inference'],
    [`POST ${base}/conversations/none/items`, 'inference'],
    [`GET ${base}/conversations/none/items`, 'inference'],
    [`GET ${base}/conversations/none/items/none`, 'inference'],
    [`DELETE ${base}/conversations/none/items/none`, 'inference'],
  ]),
  ['POST /v1/messages/batches', 'batch'],
  ['GET /v1/messages/batches', 'batch'],
  ['GET /v1/messages/batches/none', 'batch'],
  ['DELETE /v1/messages/batches/none', 'batch'],
  ['POST /v1/messages/batches/none/cancel', 'batch'],
  ['GET /v1/messages/batches/none/results', 'batch'],
  ['GET /admin/keys', 'admin'],
  ['GET /admin/requests', 'admin'],
  ['GET /admin/usage', 'admin'],
  ['DELETE /admin/requests/none', 'admin'],
  ['GET /admin/models', 'admin'],
  ['POST /admin/models/fake-model/load', 'admin'],
  ['POST /admin/models/fake-model/unload', 'admin'],
  ['POST /admin/models/fake-model/restart', 'admin'],
  ['PUT /admin/aliases/latest', 'admin'],
  ['POST /admin/aliases/latest/promote', 'admin'],
  ['POST /admin/aliases/latest/rollback', 'admin'],
  ['POST /reload', 'admin'],
  ['POST /admin/restart', 'admin'],
];

let fakeBackend: FakeBackend;
let corral: TestGateway;
beforeAll(async () => {
  fakeBackend = await startFakeBackend(echo);
  corral = await startTestGateway({
    backend: fakeBackend.backend,
    keys: keyFileText(
      Object.fromEntries(scopes.map((scope) => [scope, { secret: secretOf(scope), scopes: [scope] }])),
    ),
  });
});
afterAll(async () => {
  await corral.stop();
  await fakeBackend.stop();
});

describe.each(routes)('%s', (request, needed) => {
  it(`accepts a key with the scope ${needed}`, async () => {
    const { status } = await requestGateway(corral.origin, request, secretOf(needed));
    expect(closed).not.toContain(status);
  });

  it.each(scopes.filter((scope) => scope !== needed))(
    'rejects a key with only the scope %s',
    async (scope) => {
      const sent = fakeBackend.received.length;
      const { status, body } = await requestGateway(corral.origin, request, secretOf(scope));
      expect(status).toBe(403);
      const errorText = JSON.stringify(body.error);
      expect(errorText).toContain(`lacks the scope '${needed}'`);
      expect(fakeBackend.received).toHaveLength(sent);
    },
  );

  it('rejects a request without a key', async () => {
    expect((await requestGateway(corral.origin, request, undefined)).status).toBe(401);
  });
});

it('without authentication everything is allowed except administration', async () => {
  await using open = await startTestGateway({ backend: fakeBackend.backend, env: { AUTH_ENABLED: 'false' } });
  for (const [request, scope] of routes) {
    const { status, body } = await requestGateway(open.origin, request, undefined);
    if (scope === 'admin')
      expect([request, status, body.error?.code]).toEqual([request, 403, 'insufficient_scope']);
    else expect([request, closed.includes(status)]).toEqual([request, false]);
  }
});

it('an administrator sees every key, but no secrets and fingerprints', async () => {
  const { body } = await requestGateway(corral.origin, 'GET /admin/keys', secretOf('admin'));
  expect(body).toEqual({
    problem: null,
    warnings: [],
    keys: scopes.map((scope) => ({
      ...{ id: scope, hint: expect.stringMatching(/^sk-….{4}$/), status: 'active', expiresSoon: false },
      ...{
        secretIsOld: false,
        scopes: [scope],
        models: ['*'],
        priority: 'normal',
        limits: {},
        temporaryLimits: [],
        expires: null,
      },
      ...{ rotatingUntil: null, note: '', created: expect.stringMatching(/^\d{4}-.*Z$/) },
    })),
  });
  expect(JSON.stringify(body)).not.toMatch(/sha256|0123456789/);
});
