import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect } from 'vitest';
import { createLog } from '../../log/create-log.ts';
import { queueConfig } from '../../runpod/config.ts';
import { QueueWorker } from '../../runpod/worker.ts';
import { readSettings } from '../../settings/read-settings.ts';
import { type FakeRunpod, startFakeRunpod } from '../fakes/fake-runpod.ts';

interface WorkerRequest {
  readonly path: string;
  readonly body: string;
  readonly headers: IncomingMessage['headers'];
  readonly response: ServerResponse;
}
export type WorkerScenario = (request: WorkerRequest, count: number) => void;

export const say = (response: ServerResponse, status: number, body: object, headers: object = {}) =>
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));

/** A fake gateway with two slots; the scenario responds to the worker's requests. */
async function startFakeGateway(scenario: WorkerScenario, status: string) {
  const requests: WorkerRequest[] = [];
  const health = { status, probes: 0 };
  const onRequest = async (request: IncomingMessage, response: ServerResponse) => {
    const { url: path = '', headers } = request;
    const received = { path, headers, response, body: await text(request) };
    scenario(received, requests.push(received));
  };
  const server = createServer((request, response) => {
    if (request.url !== '/health') return void onRequest(request, response);
    health.probes += 1;
    say(response, 200, { status: health.status, slots: { total: 2 } });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, requests, health, port: (server.address() as AddressInfo).port };
}

export const echo: WorkerScenario = ({ body, response }) =>
  say(response, 200, { said: JSON.parse(body || '{}') });

interface Changes {
  readonly scenario?: WorkerScenario;
  readonly standing?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A queue worker between a fake RunPod and a fake gateway. */
export async function startWorker({ scenario = echo, standing = 'ready', env = {} }: Changes = {}) {
  const runpod = await startFakeRunpod();
  const gateway = await startFakeGateway(scenario, standing);
  const { settings } = readSettings({
    ...runpod.env,
    PORT: String(gateway.port),
    RUNPOD_WORKER_KEY: 'sk-of-the-worker',
    RUNPOD_STREAM_INTERVAL: '1ms',
    ...env,
  });
  const config = queueConfig(settings);
  if ('problems' in config) throw new Error(config.problems.join());
  let logged = '';
  const log = createLog({ level: 'debug', from: 'runpod-worker', write: (line) => (logged += line) });
  const worker = new QueueWorker(config, log, () => 1);
  const done = worker.run();
  return {
    ...{ runpod, gateway, worker, done },
    logged: () => logged,
    async [Symbol.asyncDispose]() {
      worker.stop();
      worker.stop();
      await done;
      gateway.server.closeAllConnections();
      gateway.server.close();
      await runpod[Symbol.asyncDispose]();
    },
  };
}

export const outputOf = async (runpod: FakeRunpod, input: unknown) => {
  const { results } = await runpod.finished(runpod.add(input));
  expect(results).toHaveLength(1);
  return results[0];
};
export const errorOf = async (runpod: FakeRunpod, input: unknown) =>
  JSON.parse((await outputOf(runpod, input))?.error ?? 'null') as unknown;
