import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { formatBackendUrl } from '../../../health/backend.ts';
import { echo } from '../../fakes/scenarios.ts';
import { type BackendScenario, startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { newFolder } from '../../harness/start-deployment.ts';
import { startTestGateway } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';

/** As a proxy does whose list of keys is older than that of the llama-server behind it. */
const reject =
  (status: number): BackendScenario =>
  (_, response) =>
    void response.writeHead(status).end('{"error":{"message":"Invalid API Key"}}');

it.each([401, 403])('with %i, although its probes succeed, as long as another one serves', async (status) => {
  await using rejecting = await startFakeBackend(reject(status), { slots: 2 });
  await using serving = await startFakeBackend(echo, { slots: 2 });
  const backends = [rejecting, serving].map(({ backend }) => formatBackendUrl(backend.address));
  const file = join(newFolder(), 'models.json');
  writeFileSync(file, JSON.stringify({ version: 1, models: [{ id: 'guide', backends }] }));
  const env = { MODELS_FILE: file };
  await using corral = await startTestGateway({ backend: rejecting.backend, untilReady: false, env });
  await waitFor('both', () => corral.gateway.overview.scheduler.counts.capacity === 4);
  const ask = async (word: string) => {
    const response = await fetch(`${corral.origin}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${corral.secret}` },
      body: JSON.stringify({ model: 'guide', messages: [{ role: 'user', content: word }] }),
    });
    return [response.status, await response.text()] as const;
  };
  for (let n = 0; n < 4; n++) {
    const [code, text] = await ask(`word ${n}`);
    expect([code, text]).toEqual([200, expect.stringContaining(`word ${n}`)]);
  }
  expect(rejecting.received, 'it gets no further requests').toHaveLength(1);
  serving.scenario = reject(status);
  const [code] = await ask('no one serves');
  expect(code).toBe(status === 401 ? 503 : 403);
});
