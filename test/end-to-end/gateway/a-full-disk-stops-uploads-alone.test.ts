import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { echo } from '../../fakes/scenarios.ts';
import { startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { testerSecret } from '../../harness/start-gateway.ts';
import { startGatewayProcess } from '../../harness/start-gateway-process.ts';
import { batchKeys, fileForm, startStoreGateway } from '../../harness/start-store-gateway.ts';
import { temporaryFolder } from '../../harness/temporary-folder.ts';
import { waitFor } from '../../harness/wait-for.ts';

const MB = 1024 ** 2;
const authorization = `Bearer ${testerSecret}`;

it('an upload that the disk cannot take gets 507, nothing is left of it, and chats are served', async () => {
  await using backend = await startFakeBackend(echo);
  await using folder = await temporaryFolder();
  writeFileSync(folder.file('keys.json'), batchKeys, { mode: 0o600 });
  const env = { DATA_DIR: folder.path, STORE: 'on', GPU_METRICS: 'off' };
  // No file may grow beyond this: it is how a test can fill its disk.
  await using corral = await startGatewayProcess(backend.backend, env, { maxFileBytes: 4 * MB });
  const upload = async (bytes: number) => {
    const form = fileForm(new Uint8Array(bytes), { purpose: 'batch' });
    const response = await fetch(`${corral.origin}/v1/files`, {
      method: 'POST',
      headers: { authorization },
      body: form,
    });
    return [response.status, ((await response.json()) as { error?: { code: string } }).error?.code];
  };
  expect(await upload(8 * MB)).toEqual([507, 'disk_full']);
  expect(readdirSync(folder.file('files'))).toEqual([]);
  const chat = await fetch(`${corral.origin}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'hello' }] }),
  });
  expect(chat.status).toBe(200);
  expect(await upload(MB)).toEqual([200, undefined]);
});

it('a file whose content was removed by hand is an error that says so', async () => {
  await using server = await startStoreGateway();
  const id = await server.upload('content');
  rmSync(join(server.corral.folder, 'files', id));
  const { status, body } = await server.send(`GET /v1/files/${id}/content`);
  expect([status, body.error.code]).toEqual([500, 'content_unreadable']);
  expect((await server.send('GET /v1/files')).status).toBe(200);
});

it('a download that turns out to be damaged is cut off, so that nobody takes it for complete', async () => {
  const env = { STORE_KEY: 'ab'.repeat(32) };
  await using server = await startStoreGateway(env);
  const id = await server.upload('x'.repeat(MB));
  const file = join(server.corral.folder, 'files', id);
  const bytes = readFileSync(file);
  bytes.fill(0, MB - 1000, MB - 990);
  writeFileSync(file, bytes);
  await expect(server.send(`GET /v1/files/${id}/content`)).rejects.toThrow();
  const line = () => server.corral.logged.findLast(({ path }) => String(path).endsWith('/content'));
  await waitFor('its log line', () => line());
  expect(line()).toMatchObject({ error: 'content_unreadable' });
});
