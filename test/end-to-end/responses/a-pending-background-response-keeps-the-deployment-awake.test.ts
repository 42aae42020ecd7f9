import { expect, it } from 'vitest';
import { openProductStore } from '../../harness/open-test-store.ts';
import { defaultKeys, startBatchRunner } from '../../harness/start-batch-runner.ts';
import { newFolder } from '../../harness/start-deployment.ts';
import { createInBackground } from '../../harness/stored-responses.ts';
import { waitFor } from '../../harness/wait-for.ts';

/** No request fits into it: a response of this key waits. */
const keys = { app: { ...defaultKeys.app, limits: { tokensPerMinute: 1 } } };
const idleMs = 3000;
const env = { IDLE_SHUTDOWN_SECONDS: `${idleMs}ms`, LOG_FORMAT: 'json' };
const request = { text: JSON.stringify({ model: 'demo', stream: true }) };

it.concurrent('a deployment shuts down when no background response is pending any more, not before', async () => {
  const folder = newFolder();
  const store = openProductStore(`${folder}/data`);
  const { id } = createInBackground(store, 'limits', { request });
  await using product = await startBatchRunner({ folder, env, keys });
  await waitFor('it to be asked for', () => product.deployment.output().includes(`"id":"${id}"`));
  const since = performance.now();
  await waitFor('twice the time', () => performance.now() - since > 2 * idleMs, { within: 4 * idleMs });
  expect(product.deployment.process.exitCode).toBeNull();
  await product.deployment.reachesStatus('ready');
  expect(store.responses.cancel('app', id)?.status).toBe('cancelled');
  expect(await product.deployment.exitCode()).toBe(0);
  store[Symbol.dispose]();
});

it.concurrent('it shuts down all the same where BATCH_KEEPS_AWAKE is off', async () => {
  const folder = newFolder();
  const store = openProductStore(`${folder}/data`);
  const { id } = createInBackground(store, 'limits', { request });
  await using product = await startBatchRunner({
    folder,
    env: { ...env, BATCH_KEEPS_AWAKE: 'false' },
    keys,
    untilReady: false,
  });
  expect(await product.deployment.exitCode()).toBe(0);
  expect(store.responses.get('app', id)?.status).toBe('queued');
  store[Symbol.dispose]();
});
