import { writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { echo } from '../../fakes/scenarios.ts';
import { startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { testerSecret } from '../../harness/start-gateway.ts';
import { startGatewayProcess } from '../../harness/start-gateway-process.ts';
import { batchKeys, startStoreGateway } from '../../harness/start-store-gateway.ts';
import { temporaryFolder } from '../../harness/temporary-folder.ts';

const MB = 1024 ** 2;

it('what the disk cannot take is an error, and the conversation is as before', async () => {
  await using backend = await startFakeBackend(echo);
  await using folder = await temporaryFolder();
  writeFileSync(folder.file('keys.json'), batchKeys, { mode: 0o600 });
  const env = { DATA_DIR: folder.path, STORE: 'on', GPU_METRICS: 'off' };
  // No file may grow beyond this: it is how a test can fill its disk.
  await using corral = await startGatewayProcess(backend.backend, env, { maxFileBytes: 4 * MB });
  const send = async (request: string, json?: unknown) => {
    const [method = '', path = ''] = request.split(' ');
    const response = await fetch(corral.origin + path, {
      method,
      headers: { authorization: `Bearer ${testerSecret}`, 'content-type': 'application/json' },
      body: json === undefined ? null : JSON.stringify(json),
    });
    // biome-ignore lint/suspicious/noExplicitAny: responses of many shapes
    return { status: response.status, body: (await response.json()) as any };
  };
  const message = (bytes: number) => ({ items: [{ role: 'user', content: 'x'.repeat(bytes) }] });
  const { body: conversation } = await send('POST /v1/conversations', message(10));
  const items = `/v1/conversations/${conversation.id}/items`;
  const statuses: number[] = [];
  for (let n = 0; n < 8; n++) statuses.push((await send(`POST ${items}`, message(MB))).status);
  const kept = statuses.filter((status) => status === 200).length;
  expect(kept).toBeGreaterThan(0);
  expect(kept).toBeLessThan(8);
  for (const request of [`POST ${items}`, 'POST /v1/conversations']) {
    const { body } = await send(request, message(4 * MB));
    // SQLite does not say that this limit is why it could not write.
    expect(['disk_full', 'store_unavailable']).toContain(body.error.code);
  }
  const listed = await send(`GET ${items}`);
  expect([listed.status, listed.body.data.length]).toEqual([200, kept + 1]);
  const chat = await send('POST /v1/chat/completions', {
    ...{ model: 'm', messages: [{ role: 'user', content: 'hello' }] },
  });
  expect(chat.status).toBe(200);
});

it.each([
  [{ STORE_MAX_SIZE: '1MiB' }, 507, 'store_full'],
  [{ STORE_MAX_SIZE_PER_KEY: '1MiB' }, 413, 'key_storage_full'],
])(
  'what exceeds %j is rejected, and there is room again when something was deleted',
  async (env, status, code) => {
    await using server = await startStoreGateway(env);
    const create = (bytes: number) =>
      server.send('POST /v1/conversations', {
        json: { items: [{ role: 'user', content: 'x'.repeat(bytes) }] },
      });
    const { body } = await create(0.8 * MB);
    const rejected = await create(0.3 * MB);
    expect([rejected.status, rejected.body.error.code]).toEqual([status, code]);
    await server.send(`DELETE /v1/conversations/${body.id}`);
    expect((await create(0.3 * MB)).status).toBe(200);
  },
);
