import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpus } from 'node:os';

/** One core is for what is measured, the other for what measures it. */
const hasTwoCores = cpus().length > 1;

/** 0: the core of the contender; 1: the core of the upstream and the client. */
export type Core = 0 | 1;

export interface PinnedProcess extends AsyncDisposable {
  readonly process: ChildProcess;
  readonly pid: number;
}

interface Command {
  readonly command: string;
  readonly args: readonly string[];
}

/** A command line that keeps a program, with all its threads, on one core. */
export function onCore(core: Core, command: string, args: readonly string[]): [string, string[]] {
  return hasTwoCores ? ['taskset', ['-c', String(core), command, ...args]] : [command, [...args]];
}

/** taskset replaces itself with the program, so that the pid is the program's. */
export function startPinned(
  core: Core,
  { command, args }: Command,
  options: SpawnOptions = {},
): PinnedProcess {
  return manage(
    spawn(...onCore(core, command, args), { stdio: ['ignore', 'ignore', 'inherit'], ...options }),
  );
}

/** Starts a program on all cores, although this process is pinned. */
export function startUnpinned({ command, args }: Command, options: SpawnOptions): PinnedProcess {
  const all = `0-${cpus().length - 1}`;
  return manage(
    hasTwoCores ? spawn('taskset', ['-c', all, command, ...args], options) : spawn(command, args, options),
  );
}

export function pinThisProcess(core: Core): void {
  if (hasTwoCores) spawnSync('taskset', ['-a', '-c', '-p', String(core), String(process.pid)]);
}

const running = new Set<ChildProcess>();

/** Stops all children even if this process is interrupted. */
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

function manage(child: ChildProcess): PinnedProcess {
  const { pid } = child;
  if (pid === undefined) throw new Error(`${child.spawnfile} could not be started`);
  running.add(child);
  child.once('exit', () => running.delete(child));
  return { process: child, pid, [Symbol.asyncDispose]: () => kill(child) };
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}
