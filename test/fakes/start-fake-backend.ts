import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Backend } from '../../health/backend.ts';
import { answerToGateway } from '../harness/api-requests.ts';

/** One request as the stand-in received it. */
export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export type BackendScenario = (request: Received, response: ServerResponse) => void;

export interface FakeBackend extends AsyncDisposable {
  readonly backend: Backend;
  /** Every request but the probes and the gateway's own, in order of arrival. */
  readonly received: readonly Received[];
  /** How many requests are open right now. */
  readonly open: number;
  /** What `/health` answers: 503 is a model that loads. */
  health: 200 | 503;
  /** What `/props` answers; undefined is silence. */
  props: object | undefined;
  scenario: BackendScenario;
  stop(): Promise<void>;
}

/** What the stand-in counts as the input of any request. */
export const inputTokens = 7;

export interface FakeBackendOptions {
  readonly slots?: number;
  /** What its `/metrics` says; undefined is a deaf one. */
  readonly metrics?: () => string | undefined;
}

/** A backend for scenarios that a real llama-server does not produce on demand. */
export async function startFakeBackend(
  scenario: BackendScenario,
  { slots = 4, metrics = () => '' }: FakeBackendOptions = {},
): Promise<FakeBackend> {
  const received: Received[] = [];
  let open = 0;
  const server = createServer(async (incoming, response) => {
    const path = incoming.url ?? '';
    if (path === '/health') return void response.writeHead(standIn.health).end('{}');
    if (path === '/props') return answer(response, standIn.props && JSON.stringify(standIn.props));
    if (path === '/metrics') return answer(response, metrics());
    if (incoming.headers['x-request-id'] === undefined)
      return void response.end(answerToGateway(path, await bodyOf(incoming), inputTokens));
    open += 1;
    response.once('close', () => {
      open -= 1;
    });
    const body = await bodyOf(incoming);
    const request = { method: incoming.method ?? '', path, headers: incoming.headers, body };
    received.push(request);
    standIn.scenario(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const stop = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  const standIn: FakeBackend = {
    backend: {
      address: { origin: `http://127.0.0.1:${port}`, socketPath: undefined },
      apiKey: 'stand-in-key',
    },
    received,
    get open() {
      return open;
    },
    health: 200,
    props: propsWith(slots),
    scenario,
    stop,
    [Symbol.asyncDispose]: stop,
  };
  return standIn;
}

function answer(response: ServerResponse, text: string | undefined): void {
  if (text !== undefined) response.end(text);
}

export function propsWith(slots: number) {
  return {
    total_slots: slots,
    model_alias: 'stand-in',
    model_path: '/models/stand-in.gguf',
    default_generation_settings: { n_ctx: 4096 },
    modalities: { vision: true, audio: true, video: true },
    build_info: 'stand-in',
  };
}

const bodyOf = async (incoming: IncomingMessage) => Buffer.concat(await incoming.toArray()).toString();
