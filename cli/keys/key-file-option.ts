import { Option } from 'commander';
import { keyFilePath } from '../../keys/key-file-path.ts';
import { readSettings } from '../../settings/read-settings.ts';
import { resolveDataDir } from '../../supervisor/data-dir.ts';

export function fileOption(): Option {
  return new Option('--file <path>', 'key file (default: AUTH_KEYS_FILE, else keys.json in DATA_DIR)');
}

export function jsonOption(): Option {
  return new Option('--json', 'print JSON');
}

/** The key file a verb works on: the one named on the command line, else the one the gateway reads. */
export function resolveKeyFile(named: string | undefined, exists?: (path: string) => boolean): string {
  if (named !== undefined) return named;
  const { AUTH_KEYS_FILE, DATA_DIR } = readSettings(process.env).settings;
  return keyFilePath({ AUTH_KEYS_FILE, dataDir: resolveDataDir(DATA_DIR) }, exists);
}
