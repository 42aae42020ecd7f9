import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it } from 'vitest';
import { storeFileName } from '../../../store/store.ts';
import {
  allResults,
  chatLines,
  chatTextOf,
  createBatchOfLines,
  currentBatch,
  storyOf,
  untilEnded,
} from '../../harness/batches.ts';
import { argumentsOf, killProcess } from '../../harness/child-processes.ts';
import { startBatchRunner } from '../../harness/start-batch-runner.ts';
import { isRunning, newFolder, startDeployment } from '../../harness/start-deployment.ts';
import { waitFor } from '../../harness/wait-for.ts';

const variable = (pid: number, name: string) =>
  readFileSync(`/proc/${pid}/environ`, 'utf8')
    .split('\0')
    .find((entry) => entry.startsWith(`${name}=`))
    ?.slice(name.length + 1);

it('/status says whether it is up, its log joins the others, and its secret is in its environment alone', async () => {
  const storeKey = '0123456789abcdef'.repeat(4);
  await using product = await startBatchRunner({ env: { STORE_KEY: storeKey, LOG_FORMAT: 'json' } });
  const { deployment, store } = product;
  const isUp = async () => (await deployment.status()).runnerUp === true;
  expect(await isUp()).toBe(true);
  const ended = await untilEnded(store, await createBatchOfLines(store, chatLines(5)));
  expect(ended.status).toBe('completed');
  const line = await waitFor('its log', () =>
    deployment
      .output()
      .split('\n')
      .find((text) => text.includes('batch completed')),
  );
  expect(JSON.parse(line)).toMatchObject({ from: 'runner', level: 'info', batch: ended.id, key: 'app' });

  const pid = product.pidOf('runner') ?? 0;
  const secret = variable(pid, 'RUNNER_KEY') ?? '';
  expect(secret.length).toBeGreaterThan(30);
  expect(variable(product.pidOf('gateway') ?? 0, 'RUNNER_KEY')).toBe(secret);
  expect(variable(product.pidOf('engine') ?? 0, 'RUNNER_KEY')).toBeUndefined();
  for (const child of deployment.children()) expect(argumentsOf(child).join()).not.toContain(secret);
  killProcess(pid, 'SIGKILL');
  await waitFor('another one', () => ![pid, undefined].includes(product.pidOf('runner')));
  await waitFor('it to be up', isUp);
  expect(deployment.output()).toContain('runner was terminated by SIGKILL');
  expect(deployment.output()).not.toMatch(new RegExp(`${secret}|${storeKey}`));
  expect(variable(product.pidOf('runner') ?? 0, 'RUNNER_KEY')).toBe(secret);
});

it('without a store there is none', async () => {
  await using deployment = await startDeployment();
  await deployment.reachesStatus('ready');
  expect(await deployment.status()).not.toHaveProperty('runnerUp');
  expect(deployment.children()).toHaveLength(2);
});

it('a stop lets the lines that run end, and the next start does the rest', async () => {
  const folder = newFolder();
  const lines = chatLines(300);
  const first = await startBatchRunner({ folder });
  const batch = await createBatchOfLines(first.store, lines);
  await waitFor('some results', () => currentBatch(first.store, batch).counts.completed >= 20);
  const children = first.deployment.children();
  first.deployment.process.kill('SIGTERM');
  expect(await first.deployment.exitCode()).toBe(0);
  expect(children.filter(isRunning)).toEqual([]);
  const { status, counts } = currentBatch(first.store, batch);
  expect(status).toBe('in_progress');
  first.store[Symbol.dispose]();
  const log = first.deployment.output();
  expect(log).not.toMatch(/unhandled error/);

  await using second = await startBatchRunner({ folder });
  const ended = await untilEnded(second.store, batch);
  expect(ended).toMatchObject({ status: 'completed', counts: { completed: 300, failed: 0 } });
  expect(counts.completed).toBeLessThan(300);
  const results = await allResults(second.store, ended);
  expect(results.map(chatTextOf)).toEqual(lines.map((_, n) => storyOf(n).text));
});

it('with a wrong STORE_KEY nothing starts', async () => {
  const folder = newFolder();
  {
    const first = await startBatchRunner({ folder, env: { STORE_KEY: '01'.repeat(32) } });
    await createBatchOfLines(first.store, chatLines(1));
    first.store[Symbol.dispose]();
    first.deployment.process.kill('SIGTERM');
    await first.deployment.exitCode();
  }
  await using second = await startDeployment({ folder, env: { STORE: 'on', STORE_KEY: '02'.repeat(32) } });
  expect(await second.exitCode()).toBe(2);
  expect(second.output()).toContain('is encrypted with another key: set STORE_KEY');
});

it('is not restarted with a store that it cannot read', async () => {
  await using product = await startBatchRunner();
  const { deployment } = product;
  using db = new DatabaseSync(join(deployment.folder, 'data', storeFileName), { timeout: 5000 });
  db.exec('PRAGMA user_version = 99');
  killProcess(product.pidOf('runner'), 'SIGKILL');
  await waitFor('it to be given up', () => deployment.output().includes('the runner is not restarted'));
  expect((await deployment.status()).runnerUp).toBe(false);
});
