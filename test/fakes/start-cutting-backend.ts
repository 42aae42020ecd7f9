import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Backend } from '../../health/backend.ts';
import { EVENT_END, EventSplitter, splitEvents } from '../../sse/sse.ts';
import { Echo, repeatedBy } from '../harness/echo.ts';
import type { LlamaServer } from '../services/start-llama-server.ts';

export interface CuttingBackend extends AsyncDisposable {
  readonly backend: Backend;
  /** After how many events each of the next streams is cut off, as a dying engine would; then they pass whole. */
  cuts: number[];
  /** What is said of half an event before the cut. */
  lastGasp: string;
  /**
   * Into how many pieces it cuts the assistant's last message, with which its streams then begin, as those of builds from
   * before October 2026 do where they are not told otherwise; 0 for the real engine's own way.
   */
  echoes: number;
  /** Whether even those who tell it otherwise are not heeded. */
  heedsNobody: boolean;
  /** What is answered instead to a question of the gateway's own, by its path. */
  refuses: ReadonlySet<string>;
  /** The paths of what the gateway has asked for itself that takes a slot. */
  readonly questions: readonly string[];
  /** The bodies of the streams asked for, in their order. */
  readonly asked: readonly Record<string, unknown>[];
  stop(): Promise<void>;
}

/** A real llama-server behind a wire that is cut where a test wants it to be. */
export async function startCuttingBackend(llama: LlamaServer): Promise<CuttingBackend> {
  const asked: Record<string, unknown>[] = [];
  const questions: string[] = [];
  const serve = async (incoming: IncomingMessage, response: ServerResponse) => {
    const body = Buffer.concat(await incoming.toArray());
    const isCount = incoming.url?.endsWith('tokens') || incoming.url === '/tokenize';
    const isStream = !isCount && body.includes('"stream":true');
    if (isStream) asked.push(JSON.parse(body.toString()));
    const isQuestion = incoming.method === 'POST' && !isCount && !incoming.headers['x-request-id'];
    if (isQuestion) questions.push(incoming.url ?? '');
    if (isQuestion && cutting.refuses.has(incoming.url ?? ''))
      return void response.writeHead(400).end('{"error":{"code":400,"message":"no"}}');
    const answer = await pass(llama, incoming, body);
    response.writeHead(answer.statusCode ?? 500, answer.headers);
    response.flushHeaders();
    response.once('close', () => answer.destroy());
    answer.once('error', () => response.destroy());
    const repeated = isCount || body.length === 0 ? [] : repeatedBy(cutting, JSON.parse(body.toString()));
    const wishes = isStream ? { cutAfter: cutting.cuts.shift(), lastGasp: cutting.lastGasp } : {};
    if (isStream || repeated.length > 0) await passEvents(answer, response, { ...wishes, repeated });
    else answer.pipe(response);
  };
  // Either side may go at any moment.
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
    lastGasp: '',
    echoes: 0,
    heedsNobody: false,
    refuses: new Set(),
    asked,
    questions,
    stop,
    [Symbol.asyncDispose]: stop,
  };
  return cutting;
}

async function pass(llama: LlamaServer, incoming: IncomingMessage, body: Buffer): Promise<IncomingMessage> {
  const outgoing = request({
    socketPath: llama.backend.address.socketPath,
    path: incoming.url,
    method: incoming.method,
    headers: { ...incoming.headers, connection: 'close' },
    agent: false,
  });
  outgoing.end(body);
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
  return answer;
}

interface Wishes {
  readonly cutAfter?: number | undefined;
  readonly lastGasp?: string;
  /** With which the stream begins. */
  readonly repeated: readonly string[];
}

async function passEvents(
  answer: IncomingMessage,
  response: ServerResponse,
  { cutAfter = Number.POSITIVE_INFINITY, lastGasp = '', repeated }: Wishes,
): Promise<void> {
  const echo = new Echo(repeated);
  const splitter = new EventSplitter();
  let passed = 0;
  if (cutAfter === 0) return cut(response, lastGasp);
  for await (const chunk of answer) {
    const events = splitEvents(splitter.push(chunk)?.toString() ?? '').slice(0, -1);
    for (const event of events.flatMap((one) => echo.around(one))) {
      response.write(event + EVENT_END);
      passed += 1;
      if (passed === cutAfter) return cut(response, lastGasp);
    }
  }
  response.end(splitter.rest);
}

function cut(response: ServerResponse, lastGasp: string): void {
  response.write(lastGasp === '' ? ': \n' : lastGasp, () => response.socket?.destroy());
}
