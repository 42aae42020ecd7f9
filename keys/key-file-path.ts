import { existsSync } from 'node:fs';
import { join } from 'node:path';

interface KeyFileSettings {
  readonly AUTH_KEYS_FILE: string | undefined;
  readonly dataDir: string;
}

/**
 * The key file: the configured one, else `keys.json`, or the `api_keys.txt` of llama-gguf-inference if only that
 * exists.
 */
export function keyFilePath(
  { AUTH_KEYS_FILE, dataDir }: KeyFileSettings,
  exists: (path: string) => boolean = existsSync,
): string {
  if (AUTH_KEYS_FILE !== undefined) return AUTH_KEYS_FILE;
  const ours = join(dataDir, 'keys.json');
  const legacy = join(dataDir, 'api_keys.txt');
  return !exists(ours) && exists(legacy) ? legacy : ours;
}
