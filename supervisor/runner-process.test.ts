import { expect, it } from 'vitest';
import { readSettings } from '../settings/read-settings.ts';
import { runnerEnvironment } from './runner-process.ts';

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
  expect(runnerEnvironment(env, { settings, key: 'of-the-runner', host: '::', port: 9000 })).toEqual({
    ...{ PATH: '/bin', STORE: 'on', STORE_KEY: storeKey, DATA_DIR: '/data' },
    ...{ RUNNER_KEY: 'of-the-runner', HOST: '[::1]', PORT: '9000' },
    ...{ LOG_FORMAT: 'json', LOG_FILES: 'false', LOG_LEVEL: 'info', DRAIN_TIMEOUT: '25s' },
    ...{ MAX_FILE_SIZE: '200MiB', MAX_REQUEST_BODY_SIZE: '10MiB', STORE_RETENTION_DAYS: '30' },
    ...{ STORE_MAX_SIZE: '20GiB', STORE_MAX_SIZE_PER_KEY: '0' },
  });
});
