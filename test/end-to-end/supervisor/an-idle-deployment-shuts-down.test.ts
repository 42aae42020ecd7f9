import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { killProcess } from '../../harness/child-processes.ts';
import { sourceText } from '../../harness/source-text.ts';
import { isRunning, type RunningDeployment, startDeployment } from '../../harness/start-deployment.ts';
import { waitFor } from '../../harness/wait-for.ts';

const secret = 'sk-0123456789abcdef';

interface Call {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** The API of a platform that responds with these statuses, one after the other. */
async function startPlatform(...statuses: readonly number[]) {
  const calls: Call[] = [];
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString();
    calls.push({ method: request.method ?? '', path: request.url ?? '', headers: request.headers, body });
    response.writeHead(statuses[calls.length - 1] ?? 200).end('{}');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return { calls, url: `http://127.0.0.1:${port}`, [Symbol.dispose]: () => void server.close() };
}

const startIdle = (env: Record<string, string>) =>
  startDeployment({ env: { IDLE_SHUTDOWN_SECONDS: '300ms', ...env } });

/** The exit code of a deployment that shuts down because it is idle. */
async function waitForShutdown(deployment: RunningDeployment) {
  const code = await deployment.exitCode();
  expect(deployment.output()).toContain('s (IDLE_SHUTDOWN_SECONDS)');
  return code;
}

describe('an idle deployment shuts down', () => {
  it('with exit code 0 and no leftovers, and stops no machine if there is none to stop', async () => {
    const env = { IDLE_SHUTDOWN_SECONDS: '300ms' };
    await using deployment = await startDeployment({ scenario: 'slow', env });
    await waitFor('both children', () => deployment.children().length === 2);
    const children = deployment.children();
    writeFileSync(join(deployment.modelFolder, 'loaded'), '');
    expect(await waitForShutdown(deployment)).toBe(0);
    expect(children.filter(isRunning)).toEqual([]);
    expect(deployment.output()).not.toContain(sourceText('this instance'));
  });

  it('and stops its RunPod pod', async () => {
    using platform = await startPlatform();
    await using deployment = await startIdle({
      RUNPOD_POD_ID: 'pod-1',
      RUNPOD_API_KEY: 'rp-key-secret',
      RUNPOD_API_URL: `${platform.url}/v2`,
    });
    expect(await waitForShutdown(deployment)).toBe(0);
    expect(platform.calls).toMatchObject([
      {
        method: 'POST',
        path: '/v2/pods/pod-1/action',
        headers: { authorization: 'Bearer rp-key-secret', 'content-type': 'application/json' },
        body: '{"action":"stop"}',
      },
    ]);
    expect(deployment.output()).toContain('RunPod accepted the request to stop this instance');
    expect(deployment.output()).not.toContain('rp-key');
  });

  it('and stops its Vast instance, with retries', async () => {
    using platform = await startPlatform(429, 200);
    await using deployment = await startIdle({
      VAST_CONTAINERLABEL: 'C.4711',
      CONTAINER_ID: '4711',
      CONTAINER_API_KEY: 'vast-key-secret',
      VAST_API_URL: `${platform.url}/api/v0`,
    });
    expect(await waitForShutdown(deployment)).toBe(0);
    const call = {
      method: 'PUT',
      path: '/api/v0/instances/4711/',
      headers: { authorization: 'Bearer vast-key-secret', 'content-type': 'application/json' },
      body: '{"state":"stopped"}',
    };
    expect(platform.calls).toMatchObject([call, call]);
    expect(deployment.output()).toContain('Vast did not stop this instance: status 429');
    expect(deployment.output()).not.toContain('vast-key');
  });

  it('even if its platform rejects the stop request', async () => {
    using platform = await startPlatform(403);
    await using deployment = await startIdle({
      RUNPOD_POD_ID: 'pod-1',
      RUNPOD_API_KEY: 'rp-key',
      RUNPOD_API_URL: platform.url,
    });
    expect(await waitForShutdown(deployment)).toBe(0);
    expect(platform.calls).toHaveLength(1);
    expect(deployment.output()).toMatch(/status 403[\s\S]*stop it by hand/);
  });

  it('and leaves a serverless worker to its platform', async () => {
    using platform = await startPlatform();
    await using deployment = await startIdle({
      RUNPOD_ENDPOINT_ID: 'e',
      RUNPOD_POD_ID: 'pod-1',
      RUNPOD_API_KEY: 'rp-key',
      RUNPOD_API_URL: platform.url,
    });
    expect(await waitForShutdown(deployment)).toBe(0);
    expect(platform.calls).toEqual([]);
  });
});

describe.concurrent('a deployment is not idle', () => {
  const chat = (deployment: RunningDeployment, fields: object) =>
    fetch(`http://127.0.0.1:${deployment.gatewayPort}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'x-api-key': secret, 'content-type': 'application/json' },
      body: JSON.stringify({ messages: [{ role: 'user', content: 'hi' }], ...fields }),
    });

  it('while there are requests; probes, scrapes and model lists do not count', async () => {
    await using deployment = await startDeployment({
      real: { engine: inject('engine'), model: inject('demoModel') },
      env: { IDLE_SHUTDOWN_SECONDS: '5', MAX_REQUESTS_PER_MINUTE: '0' },
    });
    await deployment.reachesStatus('ready');
    for (const since = performance.now(); performance.now() - since < 6000; )
      expect((await chat(deployment, { max_tokens: 4 })).status).toBe(200);
    expect(deployment.process.exitCode).toBeNull();
    const prober = setInterval(() => {
      for (const path of ['/ping', '/health', '/metrics', '/v1/models'])
        void fetch(`http://127.0.0.1:${deployment.gatewayPort}${path}`, {
          headers: { 'x-api-key': secret },
        }).catch(() => {});
    }, 100);
    expect(await waitForShutdown(deployment)).toBe(0);
    clearInterval(prober);
  });

  it('while a request waits for an unavailable model', async () => {
    await using deployment = await startDeployment({
      scenario: 'slow',
      env: {
        ...{ IDLE_SHUTDOWN_SECONDS: '2', GATEWAY_PROGRAM: '', API_KEYS: `test:${secret}` },
        MAX_REQUESTS_PER_MINUTE: '0',
      },
    });
    const loaded = join(deployment.modelFolder, 'loaded');
    await waitFor('the gateway', async () => (await deployment.status()).gatewayUp);
    // Requests arrive all the time, so that it is never idle in between, however busy the machine is.
    let isRunning = true;
    const statuses = new Set<number>();
    const sending = (async () => {
      while (isRunning) statuses.add((await chat(deployment, {})).status);
    })();
    writeFileSync(loaded, '');
    await deployment.reachesStatus('ready');
    rmSync(loaded);
    killProcess(deployment.children()[0], 'SIGKILL');
    await deployment.reachesStatus('loading');
    const since = performance.now();
    await waitFor('more than the limit to pass', () => performance.now() - since > 3000);
    expect(await deployment.status()).toMatchObject({ standing: 'loading', idleSeconds: 0 });
    isRunning = false;
    writeFileSync(loaded, '');
    await sending;
    expect(statuses).toEqual(new Set([200]));
    expect(await waitForShutdown(deployment)).toBe(0);
  });
});
