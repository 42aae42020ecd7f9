/**
 * `npm run attack [-- --connections 4000 --seconds 10 --only "silent connections"]` measures what thousands of hostile
 * connections do to a well-behaved client and to the gateway, which runs in a process of its own in front of a fake engine.
 * Exits with 1 if a request of the well-behaved client failed.
 */
import { createConnection, type Socket } from 'node:net';
import { parseArgs } from 'node:util';
import { echo, isForStream, startStream } from '../fakes/scenarios.ts';
import { type BackendScenario, startFakeBackend } from '../fakes/start-fake-backend.ts';
import { readProcessUsage } from '../harness/process-usage.ts';
import { testerSecret } from '../harness/start-gateway.ts';
import { startGatewayProcess } from '../harness/start-gateway-process.ts';
import { temporaryFolder } from '../harness/temporary-folder.ts';
import { type Attack, attackerSecret, attacks } from './attacks.ts';
import { GoodClient } from './good-client.ts';

const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '4000' },
    seconds: { type: 'string', default: '10' },
    only: { type: 'string' },
    'max-connections': { type: 'string', default: '10000' },
  },
});
const count = Number(values.connections);
const durationMs = Number(values.seconds) * 1000;
/** Hostile connections send a little more at this interval. */
const CONTINUE_EVERY_MS = 2000;

const chosen = attacks.filter(({ name }) => values.only === undefined || name === values.only);
if (chosen.length === 0)
  throw new Error(`--only: no attack "${values.only}"; valid: ${attacks.map(({ name }) => name).join(', ')}`);
for (const attack of chosen) await measure(attack);

async function measure(attack: Attack): Promise<void> {
  await using engine = await startFakeBackend(respond, { slots: 4 });
  await using folder = await temporaryFolder();
  await using gateway = await startGatewayProcess(engine.backend, {
    API_KEYS: `good:${testerSecret},attacker:${attackerSecret}`,
    DATA_DIR: folder.file('data'),
    MAX_REQUESTS_PER_MINUTE: '0',
    MAX_CONNECTIONS: values['max-connections'],
    LOG_LEVEL: 'error',
  });
  const usage = () => readProcessUsage(gateway.process.pid ?? 0);
  const client = new GoodClient(gateway.origin, testerSecret);
  await client.sendRequests(1500);
  client.takeResults();
  const before = usage();
  const sockets = await connectAll(Number(new URL(gateway.origin).port), attack);
  const timer = setInterval(() => {
    for (const socket of sockets)
      if (attack.continuation && socket.writable) socket.write(attack.continuation);
  }, CONTINUE_EVERY_MS);
  await client.sendRequests(durationMs);
  const [during, { completed, failures, median, max }] = [usage(), client.takeResults()];
  clearInterval(timer);
  const open = sockets.filter((socket) => !socket.destroyed && !socket.readableEnded).length;
  for (const socket of sockets) socket.destroy();
  console.log(
    `${attack.name}: ${open} of ${count} connections open; well-behaved client: ${completed} completed, ${failures.length} failed, median ${median} ms, maximum ${max} ms; ` +
      `gateway: ${before.megabytes} → ${during.megabytes} MB, ${before.files} → ${during.files} open files`,
  );
  for (const failure of new Set(failures)) console.log(`  ${failure}`);
  if (failures.length > 0) process.exitCode = 1;
}

/** Connects a hundred at a time, because the backlog of the port is limited. */
async function connectAll(port: number, { start }: Attack): Promise<Socket[]> {
  const sockets: Socket[] = [];
  for (let n = 0; n < count; n += 100) {
    const localAddress = `127.0.1.${1 + ((n / 100) % 50)}`;
    const connecting = Array.from({ length: Math.min(100, count - n) }, () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      const socket = createConnection({ port, host: '127.0.0.1', localAddress });
      sockets.push(socket);
      socket.once('connect', () => {
        socket.resume();
        start(socket);
        resolve();
      });
      socket.on('error', () => resolve()).on('close', () => resolve());
      return promise;
    });
    await Promise.all(connecting);
  }
  return sockets;
}

/** Streams are larger than the gateway's own buffers. */
function respond(...[request, response]: Parameters<BackendScenario>): void {
  if (isForStream(request)) startStream(response).end(`data: ${'x'.repeat(200_000)}\n\ndata: [DONE]\n\n`);
  else echo(request, response);
}
