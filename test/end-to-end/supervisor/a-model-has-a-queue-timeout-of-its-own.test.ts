import { expect, it } from 'vitest';
import { storyText } from '../../../cli/demo-model/stories.ts';
import { parseEvents } from '../../../sse/sse.ts';
import { killProcess } from '../../harness/child-processes.ts';
import { chatTextIn } from '../../harness/request-events.ts';
import { startServedModels } from '../../harness/start-served-models.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { demoModelFile } from '../../services/demo-models.ts';

const memory = 3 * 1024 ** 3;

it('a request that waits longer than that for its model gets model_loading, and others are served', async () => {
  await using models = await startServedModels(
    {
      models: [
        { id: 'guide', path: await demoModelFile('guide'), limits: { memory } },
        { id: 'tales', path: await demoModelFile('tales'), limits: { memory, queueTimeout: '300ms' } },
      ],
    },
    { MEMORY_BUDGET: '4GiB', MODEL_HOLD: '1h', QUEUE_TIMEOUT: '1h' },
  );
  await models.deployment.reachesStatus('ready');
  expect(await models.chat('guide', 'About keys')).toBe(storyText('keys'));
  const messages = [{ role: 'user', content: 'Of the harbour' }];
  const response = await models.post('/v1/chat/completions', { model: 'tales', messages });
  expect([response.status, await response.json()]).toMatchObject([503, { error: { code: 'model_loading' } }]);
  expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(await models.chat('guide', 'About keys')).toBe(storyText('keys'));
  expect((await models.model('guide')).unloads).toBe(0);
});

it('its requests are sent again for that long when its engine dies, whatever QUEUE_TIMEOUT is', async () => {
  await using models = await startServedModels(
    {
      models: [
        { id: 'guide', path: await demoModelFile('guide'), pin: true, limits: { queueTimeout: '1h' } },
        { id: 'tales', path: await demoModelFile('tales') },
      ],
    },
    { QUEUE_TIMEOUT: '0', LOG_LEVEL: 'info' },
  );
  await models.deployment.reachesStatus('ready');
  const response = await models.post('/v1/chat/completions', {
    model: 'guide',
    stream: true,
    messages: [{ role: 'user', content: 'A long story' }],
  });
  const pid = await models.pidOf('guide');
  killProcess(pid, 'SIGKILL');
  expect(chatTextIn(parseEvents(await response.text()))).toBe(storyText('long story'));
  await waitFor('the next engine', () => models.pidsOf('guide').some((next) => next !== pid));
});
