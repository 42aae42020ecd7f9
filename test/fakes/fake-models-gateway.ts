/**
 * A gateway for tests of several models. It responds to its probe, and tests drive its messages over HTTP:
 * GET /test/engines: the last state of the engines · GET /test/replies: the replies so far · POST /test/send: sends the body to
 * the supervisor · POST /test/busy: the ids of engines with requests, which are not reported as drained.
 */
import { createServer, type IncomingMessage } from 'node:http';
import { json } from 'node:stream/consumers';
import type {
  EnginesMessage,
  GatewayMessage,
  ModelReply,
  SupervisorMessage,
} from '../../health/supervisor-messages.ts';

let state: EnginesMessage | undefined;
const replies: ModelReply[] = [];
let busy: readonly string[] = [];

const send = (message: GatewayMessage) => void process.send?.(message);

function reportDrained(): void {
  for (const { id, pause } of state?.engines ?? []) {
    if (pause && state && !busy.includes(id))
      send({ kind: 'engine-drained', engine: id, version: state.version });
  }
}

process.on('message', (message: SupervisorMessage) => {
  if (message.kind === 'model-reply') replies.push(message);
  if (message.kind !== 'engines') return;
  state = message;
  reportDrained();
});

async function respond({ url }: IncomingMessage, body: () => Promise<unknown>): Promise<unknown> {
  switch (url) {
    case '/test/engines':
      return state ?? {};
    case '/test/replies':
      return replies;
    case '/test/send':
      send((await body()) as GatewayMessage);
      return {};
    case '/test/busy':
      busy = (await body()) as readonly string[];
      reportDrained();
      return busy;
    default:
      return {};
  }
}

const server = createServer((request, response) => {
  respond(request, () => json(request)).then(
    (result) => response.end(JSON.stringify(result)),
    (error: Error) => response.writeHead(500).end(error.message),
  );
});
server.listen(Number(process.env.PORT), process.env.HOST, () => send({ kind: 'listening' }));
process.once('SIGTERM', () => {
  server.close().closeAllConnections();
  process.disconnect();
});
