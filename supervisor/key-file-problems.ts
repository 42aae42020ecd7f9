import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { findWriteError, isReadable, writeErrorHint } from '../fs/writable-folder.ts';
import { keyFilePath } from '../keys/key-file-path.ts';
import type { Settings } from '../settings/variables.ts';
import { resolveDataDir } from './data-dir.ts';
import { statPath } from './engine/gguf-file.ts';

/**
 * What is wrong with the place of the key file. A file that is missing may come later, unless it `willBeMade` at this
 * start. What it holds is not looked at: a broken one must not cost the keys of `API_KEYS`.
 */
export function keyFileProblems(settings: Settings, { willBeMade = false } = {}): string[] {
  const { AUTH_ENABLED, AUTH_KEYS_FILE, API_KEYS } = settings;
  if (!AUTH_ENABLED) return [];
  const dataDir = resolve(resolveDataDir(settings.DATA_DIR));
  const file = keyFilePath({ AUTH_KEYS_FILE, dataDir });
  const name = AUTH_KEYS_FILE === undefined ? 'the key file' : 'AUTH_KEYS_FILE';
  const found = statPath(file);
  if (found === undefined) {
    return willBeMade && API_KEYS === undefined ? makingProblems(name, file, dataDir) : [];
  }
  if ('problem' in found) {
    const isFaultOfFolder = AUTH_KEYS_FILE === undefined && findWriteError(dataDir) !== undefined;
    return isFaultOfFolder ? [] : [`${name}: ${file} cannot be looked at (${found.problem})`];
  }
  if (!found.isFile()) {
    const kind = found.isDirectory() ? 'a folder' : 'no plain file';
    return [`${name}: ${file} is ${kind}: name a file`];
  }
  return isReadable(file) ? [] : [`${name}: ${file} cannot be read: check its owner and permissions`];
}

/** Of the data folder itself its own check tells. */
function makingProblems(name: string, file: string, dataDir: string): string[] {
  const folder = dirname(resolve(file));
  if (folder === dataDir && !existsSync(folder)) return [];
  const code = findWriteError(folder);
  if (code === undefined || (folder === dataDir && code !== 'ENOSPC')) return [];
  return [
    `${name}: ${file} cannot be made, as ${folder} cannot be written (${code}): ${writeErrorHint(code)}`,
  ];
}
