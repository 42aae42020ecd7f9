import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { storyText } from '../../../cli/demo-model/stories.ts';
import { taleText } from '../../../cli/demo-model/tales.ts';
import { formatBackendUrl } from '../../../health/backend.ts';
import { newFolder } from '../../harness/start-deployment.ts';
import { startServedModels } from '../../harness/start-served-models.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { demoModelFile, demoModelOptions } from '../../services/demo-models.ts';
import { startLlamaServer } from '../../services/start-llama-server.ts';

const messages = [{ role: 'user', content: 'About keys' }];

it('a request for a model that does not load is rejected with the reason, and others are served', async () => {
  const broken = join(newFolder(), 'broken.gguf');
  writeFileSync(broken, 'GGUF and nothing else');
  await using models = await startServedModels({
    models: [
      { id: 'guide', path: await demoModelFile('guide'), pin: true },
      { id: 'broken', path: broken },
    ],
  });
  await models.deployment.reachesStatus('ready');
  // The first one waits while it is tried; the next ones do not.
  for (let n = 0; n < 2; n++) {
    const response = await models.post('/v1/chat/completions', { model: 'broken', messages });
    expect([response.status, await response.json()]).toMatchObject([
      503,
      { error: { code: 'model_failed' } },
    ]);
  }
  expect(await models.chat('guide', 'About keys')).toBe(storyText('keys'));
});

it('a removed model is unknown to clients, and a replaced one is served as before', async () => {
  const guide = { id: 'guide', path: await demoModelFile('guide'), pin: true };
  const tales = { id: 'tales', path: await demoModelFile('tales') };
  await using models = await startServedModels({ models: [guide, tales] }, { STRICT_MODEL: 'true' });
  await models.deployment.reachesStatus('ready');
  expect(await models.chat('tales', 'Of the harbour')).toBe(taleText('harbour'));
  const ask = () => models.post('/v1/chat/completions', { model: 'tales', messages });
  // As it was, and with other settings.
  for (const returned of [tales, { ...tales, parallel: 2 }, tales, tales]) {
    models.write({ models: [guide] });
    await waitFor('its removal', async () => (await ask()).status === 404);
    models.write({ models: [guide, returned] });
    await waitFor('its return', async () => (await ask()).ok);
    for (let n = 0; n < 3; n++)
      expect(await models.chat('tales', 'Of the harbour')).toBe(taleText('harbour'));
  }
});

it('models that run elsewhere are served beside our own', async () => {
  await using remote = await startLlamaServer(await demoModelOptions('tales'));
  const keyFile = join(newFolder(), 'key');
  writeFileSync(keyFile, `${remote.apiKey}\n`);
  await using models = await startServedModels({
    models: [
      { id: 'guide', path: await demoModelFile('guide'), pin: true },
      { id: 'tales', backends: [{ url: formatBackendUrl(remote.backend.address), keyFile }] },
    ],
  });
  await models.deployment.reachesStatus('ready');
  expect(await models.chat('guide', 'About keys')).toBe(storyText('keys'));
  expect(await models.chat('tales', 'Of the harbour')).toBe(taleText('harbour'));
});

it('models may all run elsewhere', async () => {
  await using remote = await startLlamaServer({ ...(await demoModelOptions('tales')), apiKey: null });
  await using models = await startServedModels({
    models: [{ id: 'tales', backends: [formatBackendUrl(remote.backend.address)] }],
  });
  await waitFor('the backend', async () => (await fetch(`${models.origin}/readyz`)).ok);
  expect(await models.chat('tales', 'Of the harbour')).toBe(taleText('harbour'));
});
