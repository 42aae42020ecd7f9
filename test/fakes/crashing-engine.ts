/**
 * A real llama-server that dies of a request on demand, as one with a fault would: `crashing-engine.ts COMMAND ARGUMENTS…`
 * starts it behind a wire and looks at what passes. A request with the words "die at once" ends it by SIGSEGV when it is
 * read, one with "die later" when it has answered a little, and "hang" stops it for good.
 */
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createConnection, createServer, type Socket } from 'node:net';

const [command = '', ...args] = process.argv.slice(2);
const at = args.indexOf('--host') + 1;
const address = args[at] ?? '';
const behind = address.replace(/\.sock$/, '-behind.sock');
// One that died has left its own, which llama-server refuses.
rmSync(behind, { force: true });
// Where this is killed, the engine goes with it.
const leashed = ['--pdeathsig', 'SIGKILL', command, ...args.with(at, behind)];
const engine = spawn('setpriv', leashed, { stdio: ['ignore', 'inherit', 'inherit'] });
engine.once('exit', (code) => process.exit(code ?? 1));
process.on('SIGTERM', () => engine.kill('SIGTERM'));
// A hung one is ended by SIGABRT, and this is to end as the engine would.
process.once('SIGABRT', () => die('SIGABRT'));

function die(signal: NodeJS.Signals): void {
  engine.removeAllListeners('exit').kill('SIGKILL');
  process.kill(process.pid, signal);
}

/** What of an answer passes before the engine dies of it: its head and a few events. */
const PASSES = 3000;

createServer({ allowHalfOpen: true }, (client: Socket) => {
  const server = createConnection({ path: behind, allowHalfOpen: true });
  let [asked, passed] = ['', 0];
  client.on('data', (chunk) => {
    asked += chunk.toString('latin1');
    if (asked.includes('die at once')) die('SIGSEGV');
    else if (asked.includes('hang')) engine.kill('SIGSTOP');
    server.write(chunk);
  });
  server.on('data', (chunk) => {
    passed += chunk.length;
    client.write(chunk);
    if (asked.includes('die later') && passed > PASSES) die('SIGSEGV');
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
