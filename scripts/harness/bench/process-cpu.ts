import { readdirSync, readFileSync } from 'node:fs';

/** CPU that all threads of a process have had so far, in ms, as the scheduler counts it. */
export function cpuMsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => sum + cpuMsOfThread(pid, thread), 0);
}

/** A thread may end between the two looks. */
function cpuMsOfThread(pid: number, thread: string): number {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
  } catch {
    return 0;
  }
}
