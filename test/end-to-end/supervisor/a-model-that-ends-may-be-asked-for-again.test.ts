import { expect, it } from 'vitest';
import { taleText } from '../../../cli/demo-model/tales.ts';
import { parseEvents } from '../../../sse/sse.ts';
import { killProcess } from '../../harness/child-processes.ts';
import { chatTextIn } from '../../harness/request-events.ts';
import { isRunning } from '../../harness/start-deployment.ts';
import { type ServedModels, startServedModels } from '../../harness/start-served-models.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { demoModelFile } from '../../services/demo-models.ts';

const ask = (models: ServedModels, content: string, stream = false) =>
  models.post('/v1/chat/completions', { model: 'tales', stream, messages: [{ role: 'user', content }] });

/** Two models. The engine of `tales` is stopped in the middle of a stream, so that it cannot end before it goes on. */
async function startAndHold() {
  const guide = { id: 'guide', path: await demoModelFile('guide') };
  const tales = { id: 'tales', path: await demoModelFile('tales'), parallel: 2 };
  const models = await startServedModels({ models: [guide, tales] }, { STRICT_MODEL: 'true' });
  await models.deployment.reachesStatus('ready');
  const response = await ask(models, 'A long story', true);
  const pid = await models.pidOf('tales');
  killProcess(pid, 'SIGSTOP');
  const text = response.text().then((body) => chatTextIn(parseEvents(body)));
  return { models, guide, tales, text, pid };
}

it('a request for a model that was removed and added again waits for its next engine', async () => {
  const { models, guide, tales, text, pid } = await startAndHold();
  await using _ = models;
  const isListed = async () => (await (await fetch(`${models.origin}/v1/models`)).text()).includes('tales');
  models.write({ models: [guide] });
  // The supervisor reads the file for itself: it must not miss that the model was gone.
  const isRemoved = () => models.deployment.output().includes('models.json reloaded models=1');
  await waitFor('its removal', async () => isRemoved() && !(await isListed()));
  models.write({ models: [guide, tales] });
  await waitFor('its return', isListed);
  expect(isRunning(pid)).toBe(true);
  const answer = models.chat('tales', 'Of the harbour');
  killProcess(pid, 'SIGCONT');
  expect(await text).toBe(taleText('long story'));
  expect(await answer).toBe(taleText('harbour'));
  expect(isRunning(pid)).toBe(false);
});

it('a request for a model whose engine is replaced by two waits for them', async () => {
  const { models, guide, tales, text, pid } = await startAndHold();
  await using _ = models;
  // Pinned, so that both are loaded even if the gateway hears of the change after the request, and the engine before serves it.
  models.write({ models: [guide, { ...tales, replicas: 2, pin: true }] });
  await waitFor('the change', () => models.deployment.output().includes('models.json reloaded'));
  const answer = models.chat('tales', 'Of the harbour');
  killProcess(pid, 'SIGCONT');
  expect(await text).toBe(taleText('long story'));
  expect(await answer).toBe(taleText('harbour'));
  await waitFor('two engines', () => models.pidsOf('tales').length === 2);
});
