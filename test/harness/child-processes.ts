import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';

/** The pids of the children of a process, in the order of their start. */
export function childPids({ pid }: ChildProcess): number[] {
  const list = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return list === '' ? [] : list.split(' ').map(Number);
}

/** Its program and arguments; empty if it has ended. */
export function argumentsOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

/** Sends a signal to one process. `process.kill` would take a missing pid, as 0, for the process group of the tests. */
export function killProcess(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined || pid <= 1) throw new Error(`no process to send ${signal} to`);
  process.kill(pid, signal);
}

/** Kills a child, and waits for its end, so that it writes to no folder that is then removed. */
export async function killChild(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

/** Whether it is an engine of this model. */
export function servesModel(pid: number, model: string): boolean {
  const args = argumentsOf(pid);
  const alias = args.indexOf('--alias');
  return alias !== -1 && args[alias + 1] === model;
}
