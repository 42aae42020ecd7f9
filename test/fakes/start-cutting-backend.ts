import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Backend } from '../../health/backend.ts';
import { EVENT_END, EventSplitter, splitEvents } from '../../sse/sse.ts';
import type { LlamaServer } from '../services/start-llama-server.ts';
import { getRepeatedPieces, PrefillRepeater } from './prefill-repeater.ts';

export interface CuttingBackend extends AsyncDisposable {
  readonly backend: Backend;
  /** After how many events the connection of each of the next streams is lost, as by a dying engine. Later streams pass whole. */
  cuts: number[];
  /** After how many events each of the next streams pauses, until its connection is closed or `release` is called. */
  holds: number[];
  /** How many streams are paused now. */
  readonly held: number;
  release(): void;
  /** The part of an event that is sent before the connection is lost. */
  partialEvent: string;
  /**
   * In how many pieces its streams repeat the prefill, as builds from before October 2026 do unless a field forbids it;
   * 0 to leave the streams as the real engine sends them.
   */
  prefillPieces: number;
  /** Whether it repeats the prefill even if a field forbids it. */
  ignoresContinueFields: boolean;
  /** The paths of the gateway's own probes that it rejects. */
  rejectedProbes: ReadonlySet<string>;
  /** The paths of the gateway's own requests that take a slot. */
  readonly probes: readonly string[];
  /** The bodies of the requests for a stream, in their order. */
  readonly streamRequests: readonly Record<string, unknown>[];
  stop(): Promise<void>;
}

/** A real llama-server whose connections are lost where a test sets it. */
export async function startCuttingBackend(llama: LlamaServer): Promise<CuttingBackend> {
  const streamRequests: Record<string, unknown>[] = [];
  const probes: string[] = [];
  const held = new Set<() => void>();
  const hold = async (response: ServerResponse) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    held.add(resolve);
    response.once('close', resolve);
    if (!response.destroyed) await promise;
    held.delete(resolve);
  };
  const serve = async (incoming: IncomingMessage, response: ServerResponse) => {
    const body = Buffer.concat(await incoming.toArray());
    const isCount = incoming.url?.endsWith('tokens') || incoming.url === '/tokenize';
    const isStream = !isCount && body.includes('"stream":true');
    if (isStream) streamRequests.push(JSON.parse(body.toString()));
    const isProbe = incoming.method === 'POST' && !isCount && !incoming.headers['x-request-id'];
    if (isProbe) probes.push(incoming.url ?? '');
    if (isProbe && cutting.rejectedProbes.has(incoming.url ?? ''))
      return void response.writeHead(400).end('{"error":{"code":400,"message":"no"}}');
    const upstream = await forward(llama, incoming, body);
    response.writeHead(upstream.statusCode ?? 500, upstream.headers);
    response.flushHeaders();
    response.once('close', () => upstream.destroy());
    upstream.once('error', () => response.destroy());
    const repeated =
      isCount || body.length === 0 ? [] : getRepeatedPieces(cutting, JSON.parse(body.toString()));
    const options = isStream
      ? { cutAfter: cutting.cuts.shift(), lastGasp: cutting.partialEvent, holdAfter: cutting.holds.shift() }
      : {};
    if (isStream || repeated.length > 0) await passEvents(upstream, response, { ...options, repeated, hold });
    else upstream.pipe(response);
  };
  // Either side may disconnect at any moment.
  const server = createServer((incoming, response) => {
    serve(incoming, response).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const stop = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  const address = { origin: `http://127.0.0.1:${port}`, socketPath: undefined };
  const cutting: CuttingBackend = {
    backend: { address, apiKey: llama.apiKey },
    cuts: [],
    holds: [],
    get held() {
      return held.size;
    },
    release() {
      for (const resolve of held) resolve();
    },
    partialEvent: '',
    prefillPieces: 0,
    ignoresContinueFields: false,
    rejectedProbes: new Set(),
    streamRequests,
    probes,
    stop,
    [Symbol.asyncDispose]: stop,
  };
  return cutting;
}

async function forward(
  llama: LlamaServer,
  incoming: IncomingMessage,
  body: Buffer,
): Promise<IncomingMessage> {
  const outgoing = request({
    socketPath: llama.backend.address.socketPath,
    path: incoming.url,
    method: incoming.method,
    headers: { ...incoming.headers, connection: 'close' },
    agent: false,
  });
  outgoing.end(body);
  const [upstream] = (await once(outgoing, 'response')) as [IncomingMessage];
  return upstream;
}

interface CutOptions {
  readonly cutAfter?: number | undefined;
  readonly lastGasp?: string;
  readonly holdAfter?: number | undefined;
  readonly hold: (response: ServerResponse) => Promise<void>;
  /** The stream begins with these texts. */
  readonly repeated: readonly string[];
}

async function passEvents(
  upstream: IncomingMessage,
  response: ServerResponse,
  { cutAfter = Number.POSITIVE_INFINITY, lastGasp = '', holdAfter, hold, repeated }: CutOptions,
): Promise<void> {
  const repeater = new PrefillRepeater(repeated);
  const splitter = new EventSplitter();
  let passed = 0;
  if (cutAfter === 0) return cut(response, lastGasp);
  for await (const chunk of upstream) {
    const events = splitEvents(splitter.push(chunk)?.toString() ?? '').slice(0, -1);
    for (const event of events.flatMap((one) => repeater.insertBefore(one))) {
      response.write(event + EVENT_END);
      passed += 1;
      if (passed === cutAfter) return cut(response, lastGasp);
      if (passed === holdAfter) await hold(response);
    }
  }
  response.end(splitter.rest);
}

function cut(response: ServerResponse, lastGasp: string): void {
  response.write(lastGasp === '' ? ': \n' : lastGasp, () => response.socket?.destroy());
}
