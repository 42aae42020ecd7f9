/**
 * What thousands of hostile connections do to a good client, and to the gateway: `npm run attack [-- --connections 4000
 * --seconds 10 --only "silent connections"]`. A gateway in a process of its own, before a stand-in engine. Ends with 1
 * where the good client was failed.
 */
import { createConnection, type Socket } from 'node:net';
import { parseArgs } from 'node:util';
import { echo, isForStream, startStream } from '../fakes/scenarios.ts';
import { type BackendScenario, startFakeBackend } from '../fakes/start-fake-backend.ts';
import { testerSecret } from '../harness/start-gateway.ts';
import { startGatewayProcess } from '../harness/start-gateway-process.ts';
import { temporaryFolder } from '../harness/temporary-folder.ts';
import { type Attack, attackerSecret, attacks } from './attacks.ts';
import { GoodClient } from './good-client.ts';
import { figuresOf } from './process-figures.ts';

const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '4000' },
    seconds: { type: 'string', default: '10' },
    only: { type: 'string' },
    room: { type: 'string', default: '10000' },
  },
});
const count = Number(values.connections);
const forMs = Number(values.seconds) * 1000;
/** How often a hostile connection says a little more, ms. */
const EVERY = 2000;

const chosen = attacks.filter(({ name }) => values.only === undefined || name === values.only);
for (const attack of chosen) await underAttack(attack);

async function underAttack(attack: Attack): Promise<void> {
  await using standIn = await startFakeBackend(answer, { slots: 4 });
  await using folder = await temporaryFolder();
  await using gateway = await startGatewayProcess(standIn.backend, {
    API_KEYS: `good:${testerSecret},attacker:${attackerSecret}`,
    DATA_DIR: folder.file('data'),
    MAX_REQUESTS_PER_MINUTE: '0',
    MAX_CONNECTIONS: values.room,
    LOG_LEVEL: 'error',
  });
  const pid = gateway.process.pid ?? 0;
  const client = new GoodClient(gateway.origin, testerSecret);
  await client.askFor(1500);
  client.take();
  const before = figuresOf(pid);
  const crowd = await comeAll(Number(new URL(gateway.origin).port), attack);
  const talk = setInterval(() => {
    for (const socket of crowd) if (attack.goOn && socket.writable) socket.write(attack.goOn);
  }, EVERY);
  await client.askFor(forMs);
  const [during, heard] = [figuresOf(pid), client.take()];
  clearInterval(talk);
  const kept = crowd.filter((socket) => !socket.destroyed && !socket.readableEnded).length;
  for (const socket of crowd) socket.destroy();
  tell({ attack: attack.name, kept, before, during, ...heard });
  if (heard.failed.length > 0) process.exitCode = 1;
}

/** A hundred at a time, as the port has a queue of its own. */
async function comeAll(port: number, { begin }: Attack): Promise<Socket[]> {
  const crowd: Socket[] = [];
  for (let n = 0; n < count; n += 100) {
    const localAddress = `127.0.1.${1 + ((n / 100) % 50)}`;
    await Promise.all(
      Array.from({ length: Math.min(100, count - n) }, () => come(port, localAddress, begin, crowd)),
    );
  }
  return crowd;
}

function come(
  port: number,
  localAddress: string,
  begin: (socket: Socket) => void,
  crowd: Socket[],
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const socket = createConnection({ port, host: '127.0.0.1', localAddress });
  crowd.push(socket);
  socket.once('connect', () => {
    socket.resume();
    begin(socket);
    resolve();
  });
  socket.on('error', () => resolve()).on('close', () => resolve());
  return promise;
}

/** Streams are long enough to fill more than the gateway's own buffers. */
function answer(asked: Parameters<BackendScenario>[0], response: Parameters<BackendScenario>[1]): void {
  if (isForStream(asked)) startStream(response).end(`data: ${'x'.repeat(200_000)}\n\ndata: [DONE]\n\n`);
  else echo(asked, response);
}

interface Told {
  readonly attack: string;
  readonly kept: number;
  readonly before: ReturnType<typeof figuresOf>;
  readonly during: ReturnType<typeof figuresOf>;
  readonly served: number;
  readonly failed: readonly string[];
  readonly median: number;
  readonly worst: number;
}

function tell({ attack, kept, before, during, served, failed, median, worst }: Told): void {
  console.log(
    `${attack}: ${kept} of ${count} connections open; good client: ${served} served, ${failed.length} failed, median ${median} ms, worst ${worst} ms; ` +
      `gateway: ${before.megabytes} → ${during.megabytes} MB, ${before.handles} → ${during.handles} handles`,
  );
  for (const failure of new Set(failed)) console.log(`  ${failure}`);
}
