import { statSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { connectRedis } from '../../gateway/limits/redis-store.ts';
import { readSupervisorStatus, type SupervisorStatus } from '../../health/supervisor-status.ts';
import { GpuMonitor } from '../../nvidia-smi-parser/gpu-monitor.ts';
import type { GpuSnapshot, ReachResult } from './checks.ts';

const TIMEOUT_MS = 3000;
/** Without persistence mode the driver takes seconds per GPU. */
const GPU_TIMEOUT_MS = 15_000;

/** Reads every GPU once. */
export async function readGpus(program: string): Promise<GpuSnapshot> {
  const { promise, resolve } = Promise.withResolvers<GpuSnapshot>();
  const seen = new Map<number, GpuSnapshot['samples'][number]>();
  const end = (trouble: GpuSnapshot['trouble']) => resolve({ samples: [...seen.values()], trouble });
  const timer = setTimeout(() => end(seen.size > 0 ? undefined : 'hung'), GPU_TIMEOUT_MS);
  const watch = new GpuMonitor({
    program,
    intervalMs: 500,
    onSample(sample) {
      if (seen.has(sample.index)) end(undefined);
      else seen.set(sample.index, sample);
    },
    onTrouble: (trouble) => trouble !== undefined && end(trouble),
  });
  const snapshot = await promise;
  clearTimeout(timer);
  watch.close();
  return snapshot;
}

/** Memory of this machine, or the limit of this container. */
export function memoryBytes(): number {
  return Math.min(totalmem(), process.constrainedMemory() || Infinity);
}

/** Size of these files together; unreadable ones count as 0. */
export function totalSize(files: readonly string[]): number {
  return files.reduce((sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0), 0);
}

export async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

export async function pingRedis(url: string): Promise<ReachResult> {
  const redis = connectRedis(url);
  let why = 'timeout';
  const { promise, resolve } = Promise.withResolvers<ReachResult>();
  const timer = setTimeout(() => resolve({ outcome: 'failed', why }), TIMEOUT_MS);
  redis.on('error', (error: NodeJS.ErrnoException) => {
    why = error.code ?? error.message.split(' ', 1).join();
  });
  redis.once('ready', () => {
    redis.ping().then(
      () => resolve({ outcome: 'responded' }),
      (error: Error) => {
        why = error.message.split(' ', 1).join();
      },
    );
  });
  const reach = await promise;
  clearTimeout(timer);
  redis.disconnect();
  return reach;
}

/** Sends an empty list of traces, which every collector accepts. */
export async function pingCollector(url: string): Promise<ReachResult> {
  const { username, password } = new URL(url);
  const basic = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`);
  const place = new URL(url);
  place.username = '';
  place.password = '';
  try {
    const response = await fetch(place, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(username && { authorization: `Basic ${basic.toString('base64')}` }),
      },
      body: '{"resourceSpans":[]}',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    await response.body?.cancel();
    return { outcome: 'responded', status: response.status };
  } catch (error) {
    // The message may contain the URL.
    const { cause = error } = error as Error;
    return { outcome: 'failed', why: (cause as NodeJS.ErrnoException).code ?? (cause as Error).name };
  }
}

/** The status of the llama-corral whose health server responds at this origin; undefined if there is none. */
export async function readRunningInstance(origin: string): Promise<SupervisorStatus | undefined> {
  const status = await readSupervisorStatus(origin, TIMEOUT_MS);
  return status?.version === undefined ? undefined : status;
}
