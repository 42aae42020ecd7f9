import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keyFileText } from '../../harness/key-file-text.ts';
import { testerSecret } from '../../harness/start-gateway.ts';
import { type StoreGateway, startStoreGateway } from '../../harness/start-store-gateway.ts';

const oldSecret = 'sk-old-0123456789abcdefghijklmnopqrstuvwxyz0123';
const keys = keyFileText({
  tester: { secret: testerSecret },
  old: { secret: oldSecret, scopes: ['inference'] },
});

const files = [
  'POST /v1/files',
  'GET /v1/files',
  'GET /v1/files/a',
  'DELETE /v1/files/a',
  'GET /v1/files/a/content',
];
const batches = ['POST /v1/batches', 'GET /v1/batches', 'GET /v1/batches/a', 'POST /v1/batches/a/cancel'];
const messageBatches = ['', '/a', '/a/results'].map((rest) => `GET /v1/messages/batches${rest}`);
messageBatches.push(
  'POST /v1/messages/batches',
  'POST /v1/messages/batches/a/cancel',
  'DELETE /v1/messages/batches/a',
);
const openai = [...files, ...batches].flatMap((request) => [request, request.replace('/v1', '')]);

const start = (STORE: string) => startStoreGateway({ STORE, MAX_FAILED_LOGINS_PER_MINUTE: '0' }, keys);
const openedFiles = ({ corral: { folder } }: StoreGateway) =>
  ['store.sqlite', 'files'].map((name) => existsSync(join(folder, name)));

describe('with STORE=on', () => {
  let server: StoreGateway;
  beforeAll(async () => {
    server = await start('on');
  });
  afterAll(() => server[Symbol.asyncDispose]());

  it.each([...openai, ...messageBatches])(
    '%s needs a key with the scope batch, and names the fix',
    async (request) => {
      const { status, body } = await server.send(request, { secret: oldSecret });
      expect(status).toBe(403);
      expect(body.error.message).toMatch(/lacks the scope 'batch'.* keys\.json/);
      expect((await server.send(request, { secret: 'sk-wrong' })).status).toBe(401);
      expect([401, 403]).not.toContain((await server.send(request)).status);
    },
  );

  it('the store is opened', () => expect(openedFiles(server)).toEqual([true, true]));
});

describe('without it', () => {
  let server: StoreGateway;
  beforeAll(async () => {
    server = await start('off');
  });
  afterAll(() => server[Symbol.asyncDispose]());

  it.each(openai)('%s names the variable', async (request) => {
    const { status, body } = await server.send(request);
    expect([status, body.error.code]).toEqual([404, 'store_disabled']);
    expect(body.error.message).toContain('STORE=on');
  });

  it.each(messageBatches)("%s names it in Anthropic's format", async (request) => {
    const { status, body } = await server.send(request);
    expect([status, body.type, body.error.type]).toEqual([404, 'error', 'not_found_error']);
    expect(body.error.message).toContain('STORE=on');
  });

  it('no file is opened', () => expect(openedFiles(server)).toEqual([false, false]));
});
