import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Backend } from '../../health/backend.ts';
import type { LlamaServer } from './start-llama-server.ts';

export interface CuttingBackend extends AsyncDisposable {
  readonly backend: Backend;
  /** After how many events each of the next streams is cut off, as a dying engine would; then they pass whole. */
  cuts: number[];
  /** What is said of half an event before the cut. */
  lastGasp: string;
  /** The bodies of the streams asked for, in their order. */
  readonly asked: readonly Record<string, unknown>[];
  stop(): Promise<void>;
}

/** A real llama-server behind a wire that is cut where a test wants it to be. */
export async function startCuttingBackend(llama: LlamaServer): Promise<CuttingBackend> {
  const asked: Record<string, unknown>[] = [];
  const server = createServer(async (incoming, response) => {
    const body = Buffer.concat(await incoming.toArray());
    const isCount = incoming.url?.endsWith('tokens') || incoming.url === '/tokenize';
    const isStream = !isCount && body.includes('"stream":true');
    if (isStream) asked.push(JSON.parse(body.toString()));
    const answer = await pass(llama, incoming, body);
    response.writeHead(answer.statusCode ?? 500, answer.headers);
    response.flushHeaders();
    response.once('close', () => answer.destroy());
    answer.once('error', () => response.destroy());
    if (isStream) await passEvents(answer, response, cutting.cuts.shift(), cutting.lastGasp);
    else answer.pipe(response);
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
    asked,
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

async function passEvents(
  answer: IncomingMessage,
  response: ServerResponse,
  cutAfter = Number.POSITIVE_INFINITY,
  lastGasp = '',
): Promise<void> {
  let held = '';
  let passed = 0;
  if (cutAfter === 0) return cut(response, lastGasp);
  for await (const chunk of answer.setEncoding('utf8')) {
    const blocks = (held + chunk).split('\n\n');
    held = blocks.pop() ?? '';
    for (const block of blocks) {
      response.write(`${block}\n\n`);
      passed += 1;
      if (passed === cutAfter) return cut(response, lastGasp);
    }
  }
  response.end(held);
}

function cut(response: ServerResponse, lastGasp: string): void {
  response.write(lastGasp === '' ? ': \n' : lastGasp, () => response.socket?.destroy());
}
