import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Readable } from 'node:stream';

export interface SmiRun {
  /** The exit code; null where a signal ended it or it could not be started. */
  readonly ended: Promise<number | null>;
  kill(): void;
}

/** What the program may see of our environment: nothing that is secret. */
const passed = ['PATH', 'LD_LIBRARY_PATH', 'CUDA_VISIBLE_DEVICES', 'NVIDIA_VISIBLE_DEVICES'];

/** Longer lines are none of nvidia-smi's: they are cut rather than kept. */
const longestLine = 4096;

/** Where util-linux's setpriv is, the kernel ends the child when we die; elsewhere its next line finds the pipe closed. */
const leash = ['/usr/bin/setpriv', '/bin/setpriv'].find(
  (path) => process.platform === 'linux' && existsSync(path),
);

/** Starts nvidia-smi; stdout and stderr come as one, as drivers differ in where they complain. */
export function runSmi(file: string, args: readonly string[], onLine: (line: string) => void): SmiRun {
  const [command = file, ...rest] = leash
    ? [leash, '--pdeathsig', 'SIGKILL', file, ...args]
    : [file, ...args];
  const child = spawn(command, rest, { env: environment(), stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [child.stdout, child.stderr]) followLines(stream, onLine);
  const kill = () => void child.kill('SIGKILL');
  process.once('exit', kill);
  return { ended: endOf(child).finally(() => process.off('exit', kill)), kill };
}

function environment(): Record<string, string> {
  const kept = passed.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(kept), LC_ALL: 'C' };
}

/** Settles when it is gone and all it said has been read. */
function endOf(child: ChildProcess): Promise<number | null> {
  const { promise, resolve } = Promise.withResolvers<number | null>();
  child.once('error', () => resolve(null));
  child.once('close', resolve);
  return promise;
}

function followLines(stream: Readable, onLine: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = (lines.pop() ?? '').slice(0, longestLine);
    for (const line of lines) onLine(line.trimEnd().slice(0, longestLine));
  });
  stream.on('end', () => {
    if (rest !== '') onLine(rest);
  });
}
