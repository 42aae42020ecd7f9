import { readdirSync, readFileSync } from 'node:fs';

/** The resident memory of a process (`VmRSS`), in MB. */
export function residentMegabytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0';
  return Number(kilobytes) / 1024;
}

export interface ProcessUsage {
  readonly megabytes: number;
  /** Open file descriptors. */
  readonly files: number;
}

export function readProcessUsage(pid: number): ProcessUsage {
  return { megabytes: Math.round(residentMegabytes(pid)), files: readdirSync(`/proc/${pid}/fd`).length };
}

/** The CPU time that a process has taken, in seconds. */
export function cpuSeconds(pid: number): number {
  const [, user, system] = /\) (?:\S+ ){11}(\d+) (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
  // The kernel counts in hundredths of a second.
  return (Number(user) + Number(system)) / 100;
}
