import { existsSync } from 'node:fs';

/** Where RunPod's serverless workers, RunPod's and Vast's pods, and our own images mount their volume. */
const volumes = ['/runpod-volume', '/workspace', '/data'];

/** Where keys, models and records live: as told by `DATA_DIR`, else on the platform's volume, else in `./data`. */
export function resolveDataDir(
  explicit: string | undefined,
  exists: (path: string) => boolean = existsSync,
): string {
  return explicit ?? volumes.find((path) => exists(path)) ?? './data';
}
