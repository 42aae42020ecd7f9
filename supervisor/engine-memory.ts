import { readFileSync } from 'node:fs';
import { readProcessGpuBytes } from './platform/gpu-memory.ts';

/** The bytes that a llama-server takes of the GPUs or of the machine. Undefined if that cannot be read. */
export async function measureMemory(
  pid: number,
  memory: 'gpu' | 'machine',
  nvidiaSmi: string,
): Promise<number | undefined> {
  return memory === 'gpu' ? readProcessGpuBytes(nvidiaSmi, pid) : residentBytes(readStatus(pid));
}

function readStatus(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return '';
  }
}

/** The weights count too: llama-server maps their file into its memory. */
export function residentBytes(status: string): number | undefined {
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
}
