import { statfs } from 'node:fs/promises';
import { cacheFor } from '../http/cache-for.ts';
import { withDeadline } from '../limits/with-deadline.ts';

const FRESH_FOR = 5000;
const PATIENCE = 300;

/** How full a volume is, in bytes. */
export interface VolumeSpace {
  /** What is left for us: less than what is not used, where the system keeps a part for root. */
  readonly free: number;
  readonly size: number;
}

/**
 * Asks for the volume of a folder; undefined where the system does not tell. A volume that hangs holds up one look and
 * no more, and no scrape waits long for it.
 */
export function createVolumeReader(folder: string): () => Promise<VolumeSpace | undefined> {
  const look = cacheFor(FRESH_FOR, () => readVolume(folder));
  return () => withDeadline(PATIENCE, look()).catch(() => undefined);
}

async function readVolume(folder: string): Promise<VolumeSpace | undefined> {
  return statfs(folder).then(
    ({ bavail, blocks, bsize }) => ({ free: bavail * bsize, size: blocks * bsize }),
    () => undefined,
  );
}
