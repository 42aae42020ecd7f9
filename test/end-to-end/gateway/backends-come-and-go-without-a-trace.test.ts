import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { formatBackendUrl } from '../../../health/backend.ts';
import { newFolder } from '../../harness/start-deployment.ts';
import { startTestGateway, type TestGateway } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { type LlamaServer, startLlamaServer } from '../../services/start-llama-server.ts';

let servers: readonly [LlamaServer, LlamaServer, LlamaServer];
let corral: TestGateway;
const folder = newFolder();
const file = join(folder, 'models.json');
const keyFile = join(folder, 'key');

beforeAll(async () => {
  const start = () => startLlamaServer({ apiKey: 'right', slots: 2 });
  servers = [await start(), await start(), await start()];
  writeFileSync(keyFile, 'right', { mode: 0o600 });
  write(1);
  const [{ backend }] = servers;
  corral = await startTestGateway({ backend, untilReady: false, env: { MODELS_FILE: file } });
});
afterAll(async () => {
  await corral?.stop();
  await Promise.all(servers?.map((server) => server.stop()) ?? []);
});

function write(count: number): void {
  const backends = servers
    .slice(0, count)
    .map(({ backend: { address } }) => ({ url: formatBackendUrl(address), keyFile }));
  writeFileSync(`${file}.new`, JSON.stringify({ version: 1, models: [{ id: 'guide', backends }] }));
  renameSync(`${file}.new`, file);
}

/** Waits until the gateway uses so many backends. */
const uses = (count: number) =>
  waitFor(`${count} backends`, () => corral.gateway.overview.scheduler.counts.capacity === 2 * count);

/** The connections to the backends, and all other pipes of this process. */
const pipes = () => process.getActiveResourcesInfo().filter((resource) => resource === 'PipeWrap').length;

it('100 times, while requests run', async () => {
  await uses(1);
  const before = pipes();
  const statuses = new Set<number>();
  let isOver = false;
  const askOn = async () => {
    while (!isOver) {
      const response = await fetch(`${corral.origin}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${corral.secret}` },
        body: JSON.stringify({
          model: 'guide',
          max_tokens: 4,
          messages: [{ role: 'user', content: 'Hello' }],
        }),
      });
      await response.text();
      statuses.add(response.status);
    }
  };
  const clients = [askOn(), askOn(), askOn()];
  for (let round = 0; round < 100; round++) {
    write(3);
    await uses(3);
    write(1);
    await uses(1);
  }
  isOver = true;
  await Promise.all(clients);
  expect(statuses).toEqual(new Set([200]));
  // Those to the one backend that stays may be kept open: one for each client.
  await waitFor('the connections to be closed', () => pipes() <= before + clients.length);
});
