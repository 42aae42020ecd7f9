import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { readSettings } from '../../settings/read-settings.ts';
import { detectPlatform } from './platform.ts';
import { createStopCall, type StopCall, stopInstance } from './stop-instance.ts';

const retries = { delaysMs: [1, 1], timeoutMs: 3_600_000 };

/** A platform that responds with these statuses, one after the other; 0 closes the connection. */
async function platformWithStatuses(...statuses: readonly number[]) {
  let requests = 0;
  const server = createServer((request, response) => {
    const status = statuses[requests++] ?? 500;
    if (status === 0) request.socket.destroy();
    else response.writeHead(status).end('{"echo":"Bearer secret"}');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const call: StopCall = {
    platform: 'RunPod',
    url: `http://127.0.0.1:${port}/pods/p/stop`,
    init: { method: 'POST', headers: { authorization: 'Bearer secret' } },
  };
  return { call, requests: () => requests, [Symbol.dispose]: () => void server.close() };
}

function memoryLog() {
  const lines: string[] = [];
  return { log: pino({}, { write: (line) => void lines.push(line) }), text: () => lines.join('') };
}

it('a platform that is busy or unreachable is retried, and the key is never logged', async () => {
  using platform = await platformWithStatuses(429, 0, 200);
  const { log, text } = memoryLog();
  await stopInstance(platform.call, log, retries);
  expect(platform.requests()).toBe(3);
  expect(text()).toMatch(
    /status 429.*\n.*did not stop.*\n.*RunPod accepted the request to stop this instance/,
  );
  expect(text()).not.toContain('secret');
});

it('a platform that rejects the request is not retried', async () => {
  using platform = await platformWithStatuses(403);
  const { log, text } = memoryLog();
  await stopInstance(platform.call, log, retries);
  expect(platform.requests()).toBe(1);
  expect(text()).toMatch(/status 403.*\n.*stop it by hand/);
});

it('a platform gets a limited number of requests', async () => {
  using platform = await platformWithStatuses(500, 502, 503, 200);
  const { log, text } = memoryLog();
  await stopInstance(platform.call, log, retries);
  expect(platform.requests()).toBe(3);
  expect(text()).toContain('stop it by hand');
});

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

  it('at another URL if one is set', () => {
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
  ])('not at all if only the platform may do so: %j', (env) => {
    expect(callIn(env)).toBeUndefined();
  });
});
