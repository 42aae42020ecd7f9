import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Backend } from '../../health/backend.ts';
import { answerToGateway } from './requests-of-gateway.ts';

/** A request as received by the fake. */
export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export type BackendScenario = (request: Received, response: ServerResponse) => void;

export interface FakeBackend extends AsyncDisposable {
  readonly backend: Backend;
  /** All requests except probes and the gateway's own, in order of arrival. */
  readonly received: readonly Received[];
  /** The number of open requests. */
  readonly open: number;
  /** How many probes of `/health` it has answered. */
  readonly probes: number;
  /** The status of `/health`; 503: the model is loading. */
  health: 200 | 503;
  /** The response of `/props`; undefined: it never responds. */
  props: object | undefined;
  scenario: BackendScenario;
  stop(): Promise<void>;
}

/** The number of input tokens of each request. */
export const inputTokens = 7;

export interface FakeBackendOptions {
  readonly slots?: number;
  /** A unix socket to listen on, instead of TCP. */
  readonly socketPath?: string | undefined;
  /** The response of `/metrics`; undefined: it never responds. */
  readonly metrics?: () => string | undefined;
  /** How many tokens it counts in a body, for the gateway itself. */
  readonly countTokens?: (body: string) => number;
}

/** A backend for scenarios that a real llama-server does not produce on demand. */
export async function startFakeBackend(
  scenario: BackendScenario,
  { slots = 4, socketPath, metrics = () => '', countTokens = () => inputTokens }: FakeBackendOptions = {},
): Promise<FakeBackend> {
  const received: Received[] = [];
  let [open, probes] = [0, 0];
  const server = createServer(async (incoming, response) => {
    const path = incoming.url ?? '';
    if (path === '/health') {
      probes += 1;
      return void response.writeHead(fake.health).end('{}');
    }
    if (path === '/props') return respond(response, fake.props && JSON.stringify(fake.props));
    if (path === '/metrics') return respond(response, metrics());
    if (incoming.headers['x-request-id'] === undefined) {
      const body = await bodyOf(incoming);
      return void response.end(answerToGateway(path, body, countTokens(body)));
    }
    open += 1;
    response.once('close', () => {
      open -= 1;
    });
    const body = await bodyOf(incoming);
    const request = { method: incoming.method ?? '', path, headers: incoming.headers, body };
    received.push(request);
    fake.scenario(request, response);
  });
  if (socketPath === undefined) server.listen(0, '127.0.0.1');
  else server.listen(socketPath);
  await once(server, 'listening');
  const host =
    socketPath === undefined ? `127.0.0.1:${(server.address() as AddressInfo).port}` : 'llama-server';
  const stop = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  const fake: FakeBackend = {
    backend: { address: { origin: `http://${host}`, socketPath }, apiKey: 'fake-key' },
    received,
    get open() {
      return open;
    },
    get probes() {
      return probes;
    },
    health: 200,
    props: propsWith(slots),
    scenario,
    stop,
    [Symbol.asyncDispose]: stop,
  };
  return fake;
}

function respond(response: ServerResponse, text: string | undefined): void {
  if (text !== undefined) response.end(text);
}

export function propsWith(slots: number) {
  return {
    total_slots: slots,
    model_alias: 'fake-model',
    model_path: '/models/fake-model.gguf',
    default_generation_settings: { n_ctx: 4096 },
    modalities: { vision: true, audio: true, video: true },
    build_info: 'fake-model',
  };
}

const bodyOf = async (incoming: IncomingMessage) => Buffer.concat(await incoming.toArray()).toString();
