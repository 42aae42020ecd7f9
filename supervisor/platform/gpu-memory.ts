import { execFile } from 'node:child_process';
import { MiB } from '../../settings/sizes.ts';

const timeoutMs = 10_000;
const format = '--format=csv,noheader,nounits';

export interface GpuQuery {
  /** The nvidia-smi executable. */
  readonly nvidiaSmi: string;
  /** The value of `CUDA_VISIBLE_DEVICES`, which limits the GPUs that are counted. */
  readonly visibleDevices: string | undefined;
}

/** The memory of all GPUs together in bytes; undefined without one. */
export async function readGpuBytes({ nvidiaSmi, visibleDevices }: GpuQuery): Promise<number | undefined> {
  if (visibleDevices === '' || visibleDevices === '-1') return undefined;
  const selection = visibleDevices === undefined ? [] : ['-i', visibleDevices];
  const output = await run(nvidiaSmi, [...selection, '--query-gpu=memory.total', format]);
  return sumOf((output ?? '').split('\n').filter((line) => line.trim() !== ''));
}

/**
 * The GPU memory of a process in bytes. Undefined if it uses none, or is not listed: in a container, nvidia-smi may show the
 * process ids of the host.
 */
export async function readProcessGpuBytes(nvidiaSmi: string, pid: number): Promise<number | undefined> {
  const output = await run(nvidiaSmi, ['--query-compute-apps=pid,used_memory', format]);
  return processGpuBytes(output ?? '', pid);
}

/** A line for each GPU that a process uses: `1234, 5678`, in MiB. */
export function processGpuBytes(table: string, pid: number): number | undefined {
  const rows = table.split('\n').map((line) => line.split(','));
  return sumOf(rows.filter(([id]) => Number(id) === pid).map(([, used = '']) => used));
}

/** The sum of texts in MiB, in bytes; undefined if there is none, or one is no number. */
function sumOf(texts: readonly string[]): number | undefined {
  const sum = texts.reduce((total, text) => total + Number(text), 0);
  return texts.length > 0 && Number.isFinite(sum) ? sum * MiB : undefined;
}

function run(file: string, args: readonly string[]): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  execFile(file, args, { timeout: timeoutMs }, (error, stdout) => resolve(error ? undefined : stdout));
  return promise;
}
