import { describe, expect, it } from 'vitest';
import { readSettings } from '../settings/read-settings.ts';
import { clientEnvironment } from './client-process.ts';
import { queueWorkerEnabled } from './platform/platform.ts';
import { queueWorkerProgram } from './queue-worker.ts';

const runpod = {
  RUNPOD_POD_ID: 'pod-1',
  RUNPOD_AI_API_KEY: 'of-the-queue',
  RUNPOD_WEBHOOK_GET_JOB: 'https://api.runpod.ai/v2/ep/job-take/$ID?gpu=NVIDIA+L4',
  RUNPOD_WEBHOOK_POST_OUTPUT: 'https://api.runpod.ai/v2/ep/job-done/$RUNPOD_POD_ID/$ID?gpu=NVIDIA+L4',
  RUNPOD_WEBHOOK_POST_STREAM: 'https://api.runpod.ai/v2/ep/job-stream/$RUNPOD_POD_ID/$ID?gpu=NVIDIA+L4',
};
/** Other variables that RunPod sets in a worker. */
const more = {
  RUNPOD_ENDPOINT_ID: 'ep',
  RUNPOD_API_KEY: 'of-the-pod',
  RUNPOD_WEBHOOK_PING: 'https://api.runpod.ai/v2/ep/ping/$RUNPOD_POD_ID?gpu=NVIDIA+L4',
  RUNPOD_PING_INTERVAL: '4000',
  RUNPOD_PROJECT_ID: 'p',
  RUNPOD_GPU_TYPE_ID: 'NVIDIA L4',
  RUNPOD_DC_ID: 'EU-1',
  RUNPOD_POD_HOSTNAME: 'h',
  RUNPOD_GPU_COUNT: '1',
  RUNPOD_CPU_COUNT: '8',
};
const settingsOf = (env: Record<string, string>) => readSettings(env).settings;

describe('the queue worker is enabled', () => {
  it.each([
    ['if RunPod has set its variables', runpod, true],
    ['not elsewhere', {}, false],
    ['not where it is turned off', { ...runpod, RUNPOD_WORKER: 'off' }, false],
  ])('%s', (_, env, isEnabled) => {
    expect(queueWorkerEnabled(settingsOf(env))).toEqual({ isEnabled, warnings: [] });
  });

  it('only with all variables, with a warning otherwise', () => {
    const { isEnabled, warnings } = queueWorkerEnabled(settingsOf({ ...runpod, RUNPOD_AI_API_KEY: '' }));
    expect(isEnabled).toBe(false);
    expect(warnings).toEqual([expect.stringContaining('RUNPOD_AI_API_KEY')]);
  });

  it('by the variables of RunPod, without problems', () => {
    expect(readSettings({ ...runpod, ...more })).toMatchObject({ problems: [], warnings: [] });
  });
});

it('the environment of the queue worker has what it needs, and no other secrets', () => {
  const env = {
    ...runpod,
    ...more,
    PATH: '/bin',
    API_KEYS: 'app:sk-app',
    HF_TOKEN: 'hf',
    BACKEND_API_KEY: 'b',
  };
  const given = clientEnvironment(queueWorkerProgram, env, settingsOf(env), {
    key: 'of-the-worker',
    host: '0.0.0.0',
    port: 9000,
  });
  const { RUNPOD_API_KEY, ...named } = { ...runpod, ...more };
  expect(given).toEqual({
    ...named,
    PATH: '/bin',
    RUNPOD_WORKER_KEY: 'of-the-worker',
    RUNPOD_WORKER_GATEWAY: 'http://127.0.0.1:9000',
    RUNPOD_STREAM_INTERVAL: '200ms',
    LOG_FORMAT: 'json',
    LOG_FILES: 'false',
    LOG_LEVEL: 'info',
    QUEUE_TIMEOUT: '2m',
    DRAIN_TIMEOUT: '25s',
  });
  expect(Object.values(given)).not.toContain(RUNPOD_API_KEY);
});
