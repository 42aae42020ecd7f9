import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keyFileText } from '../../harness/key-file-text.ts';
import { testerSecret } from '../../harness/start-gateway.ts';
import { type StoreGateway, startStoreGateway } from '../../harness/start-store-gateway.ts';

const batchSecret = 'sk-batch-0123456789abcdefghijklmnopqrstuvwxyz0';
const keys = keyFileText({
  tester: { secret: testerSecret, scopes: ['inference'] },
  batch: { secret: batchSecret, scopes: ['batch'] },
});

const routes = [
  ...['GET /v1/responses/a', 'DELETE /v1/responses/a', 'GET /v1/responses/a/input_items'],
  ...['POST /v1/responses/a/cancel', 'GET /v1/responses/a?stream=true', 'POST /v1/conversations'],
  ...['GET /v1/conversations/a', 'POST /v1/conversations/a', 'DELETE /v1/conversations/a'],
  ...['POST /v1/conversations/a/items', 'GET /v1/conversations/a/items'],
  ...['GET /v1/conversations/a/items/b', 'DELETE /v1/conversations/a/items/b'],
].flatMap((request) => [request, request.replace('/v1', '')]);

let server: StoreGateway;
beforeAll(async () => {
  server = await startStoreGateway({ STORE: 'off', MAX_FAILED_LOGINS_PER_MINUTE: '0' }, keys);
});
afterAll(() => server[Symbol.asyncDispose]());

it.each(routes)('%s names the variable', async (request) => {
  const { status, body } = await server.send(request, request.startsWith('POST') ? { json: {} } : {});
  expect([status, body.error.code]).toEqual([404, 'store_disabled']);
  expect(body.error.message).toContain('STORE=on');
});

it.each(routes)('%s needs a key with the scope inference', async (request) => {
  const { status, body } = await server.send(request, { secret: batchSecret });
  expect([status, body.error.code]).toEqual([403, 'insufficient_scope']);
  expect(body.error.message).toContain("lacks the scope 'inference'");
  expect((await server.send(request, { secret: 'sk-wrong' })).status).toBe(401);
});

describe('POST /v1/responses', () => {
  it.each([
    ['previous_response_id', 'resp_1'],
    ['conversation', 'conv_1'],
    ['conversation', { id: 'conv_1' }],
    ['background', true],
  ])('rejects %s: %j', async (param, value) => {
    const { status, body } = await server.send('POST /v1/responses', {
      json: { model: 'm', input: 'hello', [param]: value },
    });
    expect([status, body.error.code, body.error.param]).toEqual([400, 'store_disabled', param]);
    expect(body.error.message).toContain('STORE=on');
  });
});

it('no store is opened', () => {
  expect(existsSync(join(server.corral.folder, 'store.sqlite'))).toBe(false);
});
