import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpus } from 'node:os';

/** Whether there are two cores: one for what is measured, one for what measures it. */
export const hasTwoCores = cpus().length > 1;

/** The core of the contender, and that of the upstream and the client. */
export type Core = 0 | 1;

export interface Pinned extends AsyncDisposable {
  readonly process: ChildProcess;
  readonly pid: number;
}

/** A command line that keeps a program, with all its threads, on one core. */
export function onCore(core: Core, command: string, args: readonly string[]): [string, string[]] {
  return hasTwoCores ? ['taskset', ['-c', String(core), command, ...args]] : [command, [...args]];
}

/** taskset becomes the program that it starts, so the pid is the program's. */
export function startPinned(
  core: Core,
  { command, args }: { readonly command: string; readonly args: readonly string[] },
  options: SpawnOptions = {},
): Pinned {
  return started(
    spawn(...onCore(core, command, args), { stdio: ['ignore', 'ignore', 'inherit'], ...options }),
  );
}

/** On any core, whatever this process is kept to. */
export function startAnywhere(
  { command, args }: { readonly command: string; readonly args: readonly string[] },
  options: SpawnOptions,
): Pinned {
  const all = `0-${cpus().length - 1}`;
  return started(
    hasTwoCores ? spawn('taskset', ['-c', all, command, ...args], options) : spawn(command, args, options),
  );
}

/** This process, too, keeps off the core of the contender. */
export function pinThisProcess(core: Core): void {
  if (hasTwoCores) spawnSync('taskset', ['-a', '-c', '-p', String(core), String(process.pid)]);
}

const running = new Set<ChildProcess>();

/** Nothing is left behind, also where this process is broken off. */
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

function started(child: ChildProcess): Pinned {
  const { pid } = child;
  if (pid === undefined) throw new Error(`${child.spawnfile} could not be started`);
  running.add(child);
  child.once('exit', () => running.delete(child));
  return { process: child, pid, [Symbol.asyncDispose]: () => end(child) };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}
