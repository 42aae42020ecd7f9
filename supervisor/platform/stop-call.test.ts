import { describe, expect, it } from 'vitest';
import { readSettings } from '../../settings/read-settings.ts';
import { detectPlatform } from './platform.ts';
import { createStopCall } from './stop-call.ts';

const callIn = (env: Record<string, string>) =>
  createStopCall({ platform: detectPlatform(env, () => false), settings: readSettings(env).settings }, env);

const runpod = { RUNPOD_POD_ID: 'pod1', RUNPOD_API_KEY: 'rk' };
const vast = { VAST_CONTAINERLABEL: 'C.123', CONTAINER_API_KEY: 'vk' };

describe('a rented machine is stopped', () => {
  it('on RunPod', () => {
    expect(callIn(runpod)).toEqual({
      platform: 'RunPod',
      url: 'https://api.runpod.io/v2/pods/pod1/action',
      init: {
        method: 'POST',
        headers: { authorization: 'Bearer rk', 'content-type': 'application/json' },
        body: '{"action":"stop"}',
      },
    });
  });

  it('on Vast', () => {
    expect(callIn({ ...vast, CONTAINER_ID: '456' })).toEqual({
      platform: 'Vast',
      url: 'https://console.vast.ai/api/v0/instances/456/',
      init: {
        method: 'PUT',
        headers: { authorization: 'Bearer vk', 'content-type': 'application/json' },
        body: '{"state":"stopped"}',
      },
    });
    expect(callIn(vast)?.url).toMatch(/instances\/123\/$/);
  });

  it('through another address where one is set', () => {
    expect(callIn({ ...runpod, RUNPOD_API_URL: 'http://127.0.0.1:9/x/' })?.url).toBe(
      'http://127.0.0.1:9/x/pods/pod1/action',
    );
  });

  it.each(['https://rest.runpod.io/v1', 'http://127.0.0.1:9/v1/'])(
    'by the first version of the API where its address names that: %s',
    (RUNPOD_API_URL) => {
      expect(callIn({ ...runpod, RUNPOD_API_URL })).toEqual({
        platform: 'RunPod',
        url: `${RUNPOD_API_URL.replace(/\/$/, '')}/pods/pod1/stop`,
        init: { method: 'POST', headers: { authorization: 'Bearer rk' } },
      });
    },
  );

  it.each([
    [{}],
    [{ RUNPOD_POD_ID: 'pod1' }],
    [{ RUNPOD_API_KEY: 'rk' }],
    [{ ...runpod, RUNPOD_ENDPOINT_ID: 'serverless' }],
    [{ ...vast, SERVERLESS: 'true' }],
    [{ VAST_CONTAINERLABEL: 'C.123' }],
  ])('and left alone where nobody but the platform may: %j', (env) => {
    expect(callIn(env)).toBeUndefined();
  });
});
