import { readdirSync, readFileSync } from 'node:fs';

/** What a process takes at the moment, as Linux tells it. */
export function figuresOf(pid: number): { readonly megabytes: number; readonly handles: number } {
  const kilobytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0';
  return { megabytes: Math.round(Number(kilobytes) / 1024), handles: readdirSync(`/proc/${pid}/fd`).length };
}
