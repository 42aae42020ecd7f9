import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import type { ProgramCommand } from '../../scripts/debian/debian-names.ts';
import { freePort } from '../harness/free-port.ts';
import { removeFolder } from '../harness/temporary-folder.ts';
import { waitFor } from '../harness/wait-for.ts';

/** A real redis-server on a loopback port. It can be killed and started again on the same port. */
export interface RunningRedis extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  kill(signal: NodeJS.Signals): void;
  /** Resolves when the process has ended. */
  readonly ended: Promise<void>;
}

export async function startRedis(program: ProgramCommand, port?: number): Promise<RunningRedis> {
  const [folder, ownPort] = [mkdtempSync(join(tmpdir(), 'corral-redis-')), port ?? (await freePort())];
  const child = execa(
    program.command,
    [
      ...[...program.args, '--bind', '127.0.0.1', '--port', String(ownPort)],
      ...['--save', '', '--appendonly', 'no', '--dir', folder],
    ],
    { all: true, stdin: 'ignore', reject: false, maxBuffer: 64 * 1024 },
  );
  const ended = child.then(() => removeFolder(folder));
  await waitFor('redis-server to listen', () => isListening(ownPort));
  return {
    url: `redis://127.0.0.1:${ownPort}`,
    port: ownPort,
    kill: (signal) => void child.kill(signal),
    ended,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
