import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * The bytes that a llama-server takes: of the GPUs if it uses one, else of the machine. Undefined if neither can be read:
 * in a container, nvidia-smi may show the process ids of the host.
 */
export async function measureMemory(pid: number, nvidiaSmi: string): Promise<number | undefined> {
  const table = await runNvidiaSmi(nvidiaSmi);
  if (table === undefined) return residentBytes(readStatus(pid));
  return gpuBytes(table, pid);
}

const gpuTimeoutMs = 10_000;
const query = ['--query-compute-apps=pid,used_memory', '--format=csv,noheader,nounits'];

/** Undefined without a GPU. */
function runNvidiaSmi(file: string): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  execFile(file, query, { timeout: gpuTimeoutMs }, (error, stdout) => resolve(error ? undefined : stdout));
  return promise;
}

function readStatus(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return '';
  }
}

const MiB = 1024 ** 2;

/** A line for each GPU that a process uses: `1234, 5678`, in MiB. */
export function gpuBytes(table: string, pid: number): number | undefined {
  const own = table
    .split('\n')
    .map((line) => line.split(',').map((field) => Number(field.trim())))
    .flatMap(([id, used]) => (id === pid && used !== undefined && Number.isFinite(used) ? [used * MiB] : []));
  return own.length === 0 ? undefined : own.reduce((sum, bytes) => sum + bytes, 0);
}

/** The weights count too: llama-server maps their file into its memory. */
export function residentBytes(status: string): number | undefined {
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
}
