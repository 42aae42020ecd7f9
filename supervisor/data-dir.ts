import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  findWriteError,
  isDiskFull,
  isReadable,
  seemsWritable,
  writeErrorHint,
} from '../fs/writable-folder.ts';
import { keyFilePath } from '../keys/key-file-path.ts';
import type { Settings } from '../settings/variables.ts';

/** Where RunPod's serverless workers, RunPod's and Vast's pods, and our own images mount their volume. */
const volumes = ['/runpod-volume', '/workspace', '/data'];

/**
 * Where keys, models and records live: as told by `DATA_DIR`, else on the first of the platforms' volumes that can be
 * used, else in `./data`.
 */
export function resolveDataDir(
  explicit: string | undefined,
  isUsable: (path: string) => boolean = canBeUsed,
): string {
  return explicit ?? volumes.find((path) => isUsable(path)) ?? './data';
}

/** One that cannot be written is good for the keys that lie there. */
function canBeUsed(folder: string): boolean {
  return seemsWritable(folder) || isReadable(keyFilePath({ AUTH_KEYS_FILE: undefined, dataDir: folder }));
}

/** What is to be said of the data folder before anything is kept there. It is made where it is missing. */
export function checkDataDir(settings: Settings): { problems: string[]; warnings: string[] } {
  const dataDir = resolve(resolveDataDir(settings.DATA_DIR));
  const code = findWriteError(dataDir);
  const passedOver = settings.DATA_DIR === undefined ? volumesPassedOver(dataDir) : [];
  const warnings = passedOver.map(
    (volume) =>
      `DATA_DIR is not set, and ${volume} cannot be written by user ${process.getuid?.()}: keys and usage go to ${dataDir}`,
  );
  if (code === undefined) return { problems: [], warnings };
  const fault = `DATA_DIR: ${dataDir} cannot be written (${code})`;
  if (existsSync(dataDir) && (isDiskFull(code) || keysAreThere(settings, dataDir, code))) {
    const kept = 'usage stays in memory, crashes and log files are not kept';
    return { problems: [], warnings: [...warnings, `${fault}: ${kept}`] };
  }
  return { problems: [...warnings, `${fault}: ${writeErrorHint(code)}`], warnings: [] };
}

function volumesPassedOver(chosen: string): string[] {
  const end = volumes.indexOf(chosen);
  return volumes.slice(0, end === -1 ? undefined : end).filter((volume) => existsSync(volume));
}

/**
 * Whether a folder that cannot be written is all that is needed, as there are keys already. A read-only volume is meant
 * so; a folder of another owner is rather a mistake, unless the keys lie there.
 */
function keysAreThere({ AUTH_ENABLED, AUTH_KEYS_FILE, API_KEYS }: Settings, dataDir: string, code: string) {
  if (code === 'ENOTDIR') return false;
  if (AUTH_ENABLED && isReadable(keyFilePath({ AUTH_KEYS_FILE, dataDir }))) return true;
  return code === 'EROFS' && (!AUTH_ENABLED || API_KEYS !== undefined);
}
