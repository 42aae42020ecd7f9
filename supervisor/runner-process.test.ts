import { pino } from 'pino';
import { expect, it } from 'vitest';
import { readSettings } from '../settings/read-settings.ts';
import { clientEnvironment } from './client-process.ts';
import { IdleTimer } from './idle-timer.ts';
import type { ManagedProcess } from './process/managed-process.ts';
import { defaultPolicy } from './process/restart-policy.ts';
import { createRunner, runnerProgram } from './runner-process.ts';

it('a runner that cannot even look for jobs does not keep the deployment awake', async () => {
  const idle = Promise.withResolvers<void>();
  const idleTimer = new IdleTimer({ limitMs: 1, onLimit: idle.resolve });
  idleTimer.end('boot');
  const env = { STORE: 'on', DATA_DIR: '/nowhere' };
  const { settings } = readSettings(env);
  const log = pino({ enabled: false });
  const runner: ManagedProcess = createRunner({
    ...{ settings, env, key: 'sk', host: '127.0.0.1', port: 1, policy: defaultPolicy, log, idleTimer },
    ...{ forward: () => true, onSpawned: () => {}, onCrash: () => runner.disableRestart() },
  });
  expect(idleTimer.idleMs).toBe(0);
  runner.start();
  await idle.promise;
});

it('the environment of the runner has what it needs, and no other secrets', () => {
  const storeKey = 'ab'.repeat(32);
  const env = {
    ...{ PATH: '/bin', STORE: 'on', STORE_KEY: storeKey, DATA_DIR: '/data' },
    ...{
      BATCH_SLOTS: '3',
      API_KEYS: 'app:sk-app',
      HF_TOKEN: 'hf',
      BACKEND_API_KEY: 'b',
      RUNPOD_API_KEY: 'of-the-pod',
    },
  };
  const { settings } = readSettings(env);
  const connection = { key: 'of-the-runner', host: '::', port: 9000 };
  expect(clientEnvironment(runnerProgram, env, settings, connection)).toEqual({
    ...{ PATH: '/bin', STORE: 'on', STORE_KEY: storeKey, DATA_DIR: '/data' },
    ...{ RUNNER_KEY: 'of-the-runner', HOST: '[::1]', PORT: '9000' },
    ...{ LOG_FORMAT: 'json', LOG_FILES: 'false', LOG_LEVEL: 'info', DRAIN_TIMEOUT: '25s' },
    ...{ MAX_FILE_SIZE: '200MiB', MAX_REQUEST_BODY_SIZE: '10MiB', STORE_RETENTION_DAYS: '30' },
    ...{ STORE_MAX_SIZE: '20GiB', STORE_MAX_SIZE_PER_KEY: '0', MAX_REPLAYS: '3' },
  });
});
