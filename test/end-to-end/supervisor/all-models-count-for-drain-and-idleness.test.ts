import { expect, it } from 'vitest';
import { storyText } from '../../../cli/demo-model/stories.ts';
import { taleText } from '../../../cli/demo-model/tales.ts';
import { parseEvents } from '../../../sse/sse.ts';
import { killProcess } from '../../harness/child-processes.ts';
import { chatTextIn } from '../../harness/request-events.ts';
import { isRunning } from '../../harness/start-deployment.ts';
import { type ServedModels, startServedModels } from '../../harness/start-served-models.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { demoModelFile } from '../../services/demo-models.ts';

async function startTwo(env: Readonly<Record<string, string>> = {}): Promise<ServedModels> {
  const models = await startServedModels(
    {
      models: [
        { id: 'guide', path: await demoModelFile('guide') },
        { id: 'tales', path: await demoModelFile('tales') },
      ],
    },
    env,
  );
  await models.deployment.reachesStatus('ready');
  return models;
}

/** A long stream that has begun. */
async function startStream(models: ServedModels, model: string): Promise<() => Promise<string>> {
  const response = await models.post('/v1/chat/completions', {
    ...{ model, stream: true },
    messages: [{ role: 'user', content: 'A long story' }],
  });
  const body = response.text();
  return async () => chatTextIn(parseEvents(await body));
}

it.concurrent('a stop lets the streams of all models finish, and leaves no engine', async () => {
  await using models = await startTwo();
  const story = await startStream(models, 'guide');
  const tale = await startStream(models, 'tales');
  const pids = [...models.pidsOf('guide'), ...models.pidsOf('tales')];
  models.deployment.process.kill('SIGTERM');
  expect(await story()).toBe(storyText('long story'));
  expect(await tale()).toBe(taleText('long story'));
  expect(await models.deployment.exitCode()).toBe(0);
  expect([pids.length, pids.filter(isRunning)]).toEqual([2, []]);
});

it.concurrent('one busy model keeps a deployment from its idle shutdown', async () => {
  // Longer than a busy machine takes from `ready` to the first request.
  await using models = await startTwo({ IDLE_SHUTDOWN_SECONDS: '5' });
  const tale = await startStream(models, 'tales');
  const pid = await models.pidOf('tales');
  killProcess(pid, 'SIGSTOP');
  const since = performance.now();
  await waitFor('longer than that', () => performance.now() - since > 8000);
  expect(models.deployment.process.exitCode).toBe(null);
  killProcess(pid, 'SIGCONT');
  expect(await tale()).toBe(taleText('long story'));
  expect(await models.deployment.exitCode()).toBe(0);
});

it.concurrent('a deployment whose gateway takes its time to start is not idle meanwhile', async () => {
  const slowly = 'data:text/javascript,await new Promise((resolve) => setTimeout(resolve, 7000))';
  await using models = await startTwo({
    IDLE_SHUTDOWN_SECONDS: '5',
    NODE_OPTIONS: `--import=${encodeURI(slowly)}`,
  });
  expect(await models.chat('guide', 'About keys')).toBe(storyText('keys'));
  expect(await models.deployment.exitCode()).toBe(0);
});
