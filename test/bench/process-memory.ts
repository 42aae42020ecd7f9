import { readFileSync } from 'node:fs';

/** What a process holds in memory now, in MB. */
export function memoryMbOf(pid: number): number {
  const kb = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kb) / 1024;
}
