import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { ModelStatus } from '../../../health/supervisor-messages.ts';
import { fakeSupervisor } from '../../fakes/fake-supervisor.ts';
import { echo } from '../../fakes/scenarios.ts';
import { startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { newFolder } from '../../harness/start-deployment.ts';
import { startTestGateway } from '../../harness/start-gateway.ts';
import { waitFor } from '../../harness/wait-for.ts';

interface Health {
  readonly queue: { readonly waiting: number };
}

/** The settings of a gateway with one model of variables, and with a file of models. */
const modes = {
  'of variables': () => ({}),
  'of models.json': () => {
    const file = join(newFolder(), 'models.json');
    writeFileSync(file, JSON.stringify({ version: 1, models: [{ id: 'demo', path: '/m/demo.gguf' }] }));
    return { MODELS_FILE: file };
  },
};

// A request that crashed it would count as a failed load: two of them, and the supervisor gives up.
it.for(Object.entries(modes))('the model %s', async ([, env]) => {
  const backend = await startFakeBackend(echo);
  const supervisor = fakeSupervisor();
  const report = (status: ModelStatus) => supervisor.report({ demo: { ...backend, status } });
  const corral = await startTestGateway({
    ...{ backend: backend.backend, untilReady: false, parent: supervisor.channel },
    env: { QUEUE_TIMEOUT: '1h', ...env() },
  });
  const ask = async () => {
    const response = await fetch(`${corral.origin}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${corral.secret}` },
      body: JSON.stringify({ model: 'demo', messages: [{ role: 'user', content: 'x' }] }),
    });
    await response.text();
    return response.status;
  };
  const health = async () => (await fetch(`${corral.origin}/health`)).json() as Promise<Health>;
  // The second probe begins when the result of the first is known.
  const isProbed = () => {
    const before = backend.probes;
    return waitFor('two probes', () => backend.probes > before + 1);
  };
  const waits = () => waitFor('the request to wait', async () => (await health()).queue.waiting === 1);
  try {
    report('loading');
    const first = ask();
    await waits();
    await isProbed();
    expect(await health()).toMatchObject({ queue: { waiting: 1 } });
    report('loaded');
    expect(await first).toBe(200);

    // A supervisor whose probes fail closes nothing.
    report('loading');
    expect(await ask()).toBe(200);

    // Another process.
    backend.health = 503;
    await isProbed();
    backend.health = 200;
    await isProbed();
    const second = ask();
    await waits();
    report('loaded');
    expect(await second).toBe(200);
  } finally {
    await corral.stop();
    await backend.stop();
  }
});
