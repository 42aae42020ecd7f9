/**
 * A real llama-server that crashes on certain requests: `crashing-engine.ts COMMAND ARGUMENTS…` starts it behind a proxy. A
 * request that contains "die at once" ends it by SIGSEGV when it is read, "die later" after a part of the response, and "hang"
 * stops it for ever.
 */
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createConnection, createServer, type Socket } from 'node:net';

const [command = '', ...args] = process.argv.slice(2);
const at = args.indexOf('--host') + 1;
const address = args[at] ?? '';
const behind = address.replace(/\.sock$/, '-behind.sock');
// After a crash the socket is left, and llama-server does not start with it.
rmSync(behind, { force: true });
// If this process is killed, the engine is killed, too.
const withParent = ['--pdeathsig', 'SIGKILL', command, ...args.with(at, behind)];
const engine = spawn('setpriv', withParent, { stdio: ['ignore', 'inherit', 'inherit'] });
engine.once('exit', (code) => process.exit(code ?? 1));
process.on('SIGTERM', () => engine.kill('SIGTERM'));
// A hung engine is stopped by SIGABRT. This process must end like the engine.
process.once('SIGABRT', () => die('SIGABRT'));

function die(signal: NodeJS.Signals): void {
  engine.removeAllListeners('exit').kill('SIGKILL');
  process.kill(process.pid, signal);
}

/** Bytes of a response before the engine dies: its head and a few events. */
const BYTES_BEFORE_CRASH = 3000;

createServer({ allowHalfOpen: true }, (client: Socket) => {
  const server = createConnection({ path: behind, allowHalfOpen: true });
  let [received, passed] = ['', 0];
  client.on('data', (chunk) => {
    received += chunk.toString('latin1');
    if (received.includes('die at once')) die('SIGSEGV');
    else if (received.includes('hang')) engine.kill('SIGSTOP');
    server.write(chunk);
  });
  server.on('data', (chunk) => {
    passed += chunk.length;
    client.write(chunk);
    if (received.includes('die later') && passed > BYTES_BEFORE_CRASH) die('SIGSEGV');
  });
  for (const [one, other] of [
    [client, server],
    [server, client],
  ] as const) {
    one.on('end', () => other.end());
    one.on('close', () => other.destroy());
    one.on('error', () => other.destroy());
  }
}).listen(address);
