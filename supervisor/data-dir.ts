import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { findWriteError, isDiskFull, isReadable, seemsWritable, writeErrorHint } from '../fs/folders.ts';
import { keyFilePath } from '../keys/key-file-path.ts';
import { statPath } from '../models/gguf-file.ts';
import type { Settings } from '../settings/variables.ts';

/** Where RunPod's serverless workers, RunPod's and Vast's pods, and our images mount their volume. */
const volumes = ['/runpod-volume', '/workspace', '/data'];

/**
 * The folder for keys, models and records: `DATA_DIR`, else the first usable volume of a platform, else `./data`.
 */
export function resolveDataDir(
  explicit: string | undefined,
  isUsable: (path: string) => boolean = canBeUsed,
): string {
  return explicit ?? volumes.find((path) => isUsable(path)) ?? './data';
}

/** A read-only volume is usable if it has keys. */
function canBeUsed(folder: string): boolean {
  return seemsWritable(folder) || isReadable(keyFilePath({ AUTH_KEYS_FILE: undefined, dataDir: folder }));
}

/** Problems and warnings about the data folder, before anything is stored there. Creates it if it is missing. */
export function checkDataDir(settings: Settings): { problems: string[]; warnings: string[] } {
  const dataDir = resolve(resolveDataDir(settings.DATA_DIR));
  const code = findWriteError(dataDir);
  const skipped = settings.DATA_DIR === undefined ? skippedVolumes(dataDir) : [];
  const warnings = skipped.map(
    (volume) =>
      `DATA_DIR is not set and ${volume} is not writable by user ${process.getuid?.()}; keys and usage are stored in ${dataDir}`,
  );
  if (code === undefined) return { problems: [], warnings };
  const problem = `DATA_DIR: ${dataDir} is not writable (${code})`;
  if (existsSync(dataDir) && (isDiskFull(code) || hasKeys(settings, dataDir, code))) {
    const consequence = 'usage stays in memory, crash records and log files are not written';
    return { problems: [], warnings: [...warnings, `${problem}; ${consequence}`] };
  }
  return { problems: [...warnings, `${problem}; ${writeErrorHint(code)}`], warnings: [] };
}

function skippedVolumes(chosen: string): string[] {
  const end = volumes.indexOf(chosen);
  return volumes.slice(0, end === -1 ? undefined : end).filter((volume) => existsSync(volume));
}

/**
 * Whether a folder that is not writable is sufficient, because the keys are there. A read-only volume is intentional; a
 * folder of another owner is more likely a mistake, unless it has the keys.
 */
function hasKeys({ AUTH_ENABLED, AUTH_KEYS_FILE, API_KEYS }: Settings, dataDir: string, code: string) {
  if (code === 'ENOTDIR') return false;
  if (AUTH_ENABLED && isReadable(keyFilePath({ AUTH_KEYS_FILE, dataDir }))) return true;
  return code === 'EROFS' && (!AUTH_ENABLED || API_KEYS !== undefined);
}

/**
 * Problems with the location of the key file. A missing file may appear later, unless it `willBeCreated` at this start.
 * Its content is not checked: a broken file must not disable the keys of `API_KEYS`.
 */
export function keyFileProblems(settings: Settings, { willBeCreated = false } = {}): string[] {
  const { AUTH_ENABLED, AUTH_KEYS_FILE, API_KEYS } = settings;
  if (!AUTH_ENABLED) return [];
  const dataDir = resolve(resolveDataDir(settings.DATA_DIR));
  const file = keyFilePath({ AUTH_KEYS_FILE, dataDir });
  const name = AUTH_KEYS_FILE === undefined ? 'the key file' : 'AUTH_KEYS_FILE';
  const found = statPath(file);
  if (found === undefined) {
    return willBeCreated && API_KEYS === undefined ? creationProblems(name, file, dataDir) : [];
  }
  if ('problem' in found) {
    const isFolderProblem = AUTH_KEYS_FILE === undefined && findWriteError(dataDir) !== undefined;
    return isFolderProblem ? [] : [`${name}: cannot access ${file} (${found.problem})`];
  }
  if (!found.isFile()) {
    const kind = found.isDirectory() ? 'a folder' : 'not a regular file';
    return [`${name}: ${file} is ${kind}; expected a file`];
  }
  return isReadable(file) ? [] : [`${name}: cannot read ${file}; check its owner and permissions`];
}

/** The data folder itself is checked separately. */
function creationProblems(name: string, file: string, dataDir: string): string[] {
  const folder = dirname(resolve(file));
  if (folder === dataDir && !existsSync(folder)) return [];
  const code = findWriteError(folder);
  if (code === undefined || (folder === dataDir && code !== 'ENOSPC')) return [];
  return [`${name}: cannot create ${file}: ${folder} is not writable (${code}); ${writeErrorHint(code)}`];
}
