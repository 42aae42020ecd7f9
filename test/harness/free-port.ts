import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below the ephemeral ports, which any process may get at any moment. */
const FROM = 15_000;
const TO = 32_000;
/** Ports of one test process. Another one never finds them free in the moment before a program listens. */
const COUNT = 200;

const worker = Number(process.env.VITEST_POOL_ID ?? 0);
// Another run has another parent process.
const first = FROM + (((process.ppid + worker) * COUNT) % (TO - FROM - COUNT));
let next = randomInt(COUNT);

/** A free port on loopback, for programs that do not report a port of their own choice. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = first + (next++ % COUNT);
    if (await isFree(port)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return false;
    throw error;
  }
  await new Promise((resolve) => server.close(resolve));
  return true;
}
