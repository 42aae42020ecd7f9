import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { echo } from '../../fakes/scenarios.ts';
import { startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { chatOf, postOf } from '../../harness/raw-request.ts';
import { startTestGateway, testerSecret } from '../../harness/start-gateway.ts';
import { batchKeys, startStoreGateway } from '../../harness/start-store-gateway.ts';
import { temporaryFolder } from '../../harness/temporary-folder.ts';
import { waitFor } from '../../harness/wait-for.ts';

it('the gateway serves everything else, and files as soon as the disk allows it', async () => {
  await using fakeBackend = await startFakeBackend(echo);
  await using folder = await temporaryFolder();
  // Even root cannot open a folder as a database.
  mkdirSync(folder.file('store.sqlite'));
  await using corral = await startTestGateway({
    ...{ backend: fakeBackend.backend, folder: folder.path, keys: batchKeys, env: { STORE: 'on' } },
  });
  const list = () =>
    fetch(`${corral.origin}/v1/files`, { headers: { authorization: `Bearer ${testerSecret}` } });
  const refused = await list();
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '30']);
  expect(await refused.json()).toMatchObject({
    error: { code: 'store_unavailable', message: expect.stringContaining('the disk has failed') },
  });
  await using client = await RawClient.connect(corral.port);
  expect((await client.send(postOf(chatOf('good'))).response())?.status).toBe(200);
  expect(corral.logged.filter(({ msg }) => String(msg).startsWith('the store is unavailable'))).toHaveLength(
    1,
  );
  rmdirSync(folder.file('store.sqlite'));
  await waitFor('files to be served', async () => (await list()).status === 200);
});

it('a damaged database stops files alone, too', async () => {
  await using fakeBackend = await startFakeBackend(echo);
  await using folder = await temporaryFolder();
  writeFileSync(folder.file('store.sqlite'), 'no database '.repeat(1000));
  const env = { STORE: 'on', METRICS_AUTH_ENABLED: 'false' };
  await using corral = await startTestGateway({
    ...{ backend: fakeBackend.backend, folder: folder.path, keys: batchKeys, env },
  });
  const send = (path: string, body?: object) =>
    fetch(corral.origin + path, {
      method: body ? 'POST' : 'GET',
      headers: { authorization: `Bearer ${testerSecret}`, 'content-type': 'application/json' },
      body: body ? JSON.stringify(body) : null,
    });
  const refused = await send('/v1/files');
  expect([refused.status, await refused.json()]).toMatchObject([
    503,
    { error: { code: 'store_unavailable', message: expect.stringContaining('the database is damaged') } },
  ]);
  const served = await send('/v1/chat/completions', chatOf('good'));
  expect([served.status, (await send('/metrics')).status]).toEqual([200, 200]);
});

it('a gateway with another STORE_KEY than before does not start, and says so', async () => {
  await using first = await startStoreGateway({ STORE_KEY: 'ab'.repeat(32) });
  await first.upload('content');
  const child = spawn(process.execPath, [join(import.meta.dirname, '../../../gateway/main.ts')], {
    env: {
      ...{ PATH: process.env.PATH, HOST: '127.0.0.1', PORT: '0', BACKEND_URL: 'http://127.0.0.1:1' },
      ...{ DATA_DIR: first.corral.folder, STORE: 'on', STORE_KEY: 'cd'.repeat(32), GPU_METRICS: 'off' },
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const [message, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  expect([code, message]).toEqual([2, expect.stringContaining('STORE_KEY')]);
});
