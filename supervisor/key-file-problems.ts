import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { findWriteError, isReadable, writeErrorHint } from '../fs/folders.ts';
import { keyFilePath } from '../keys/key-file-path.ts';
import type { Settings } from '../settings/variables.ts';
import { resolveDataDir } from './data-dir.ts';
import { statPath } from './engine/gguf-file.ts';

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

/** The data folder has a check of its own. */
function creationProblems(name: string, file: string, dataDir: string): string[] {
  const folder = dirname(resolve(file));
  if (folder === dataDir && !existsSync(folder)) return [];
  const code = findWriteError(folder);
  if (code === undefined || (folder === dataDir && code !== 'ENOSPC')) return [];
  return [`${name}: cannot create ${file}: ${folder} is not writable (${code}); ${writeErrorHint(code)}`];
}
