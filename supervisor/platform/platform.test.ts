import { expect, it } from 'vitest';
import { defaultHost, detectPlatform } from './platform.ts';

const nowhere = () => false;

it.each([
  [{ RUNPOD_ENDPOINT_ID: 'e', RUNPOD_POD_ID: 'p' }, 'runpod-serverless'],
  [{ RUNPOD_POD_ID: 'p' }, 'runpod-pod'],
  [{ VAST_CONTAINERLABEL: 'C.1' }, 'vast'],
  [{ KUBERNETES_SERVICE_HOST: '10.0.0.1' }, 'kubernetes'],
  [{ K_SERVICE: 's' }, 'container'],
  [{}, 'bare'],
])('%j is %s', (env, platform) => {
  expect(detectPlatform(env, nowhere)).toBe(platform);
});

it('a container is detected by the files of its runtime, and listens on all addresses', () => {
  for (const mark of ['/.dockerenv', '/run/.containerenv']) {
    expect(detectPlatform({}, (path) => path === mark)).toBe('container');
  }
  expect([defaultHost('container'), defaultHost('vast'), defaultHost('bare')]).toEqual([
    '0.0.0.0',
    '0.0.0.0',
    '127.0.0.1',
  ]);
});
