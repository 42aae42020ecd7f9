import type { Finding } from './finding.ts';
import { formatBytes } from './sizes.ts';

/** Keys, books, crash files and logs need little; a download needs the size of its model. */
const little = 1024 ** 3;

export function checkSpace(dataDir: string, freeBytes: number): Finding {
  const words = `${dataDir} is writable, ${formatBytes(freeBytes)} free`;
  return freeBytes >= little
    ? { about: 'data folder', verdict: 'good', words }
    : {
        about: 'data folder',
        verdict: 'warning',
        words,
        cure: 'free some space, or set DATA_DIR to another volume',
      };
}
