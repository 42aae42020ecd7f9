import { existsSync } from 'node:fs';
import { keyFilePath } from '../../keys/key-file-path.ts';
import type { SupervisorConfig } from '../../supervisor/config.ts';

export interface FirstKey {
  readonly id: string;
  /** Known now and never again. */
  readonly secret: string;
}

/**
 * Makes a key where a newcomer has none: undefined where there is a key file already, or none is asked for. Its secret
 * is shown before it is kept, as this start may be broken off at any moment, and the next one finds a key file. Throws a
 * KeyFileError.
 */
export async function createFirstKey(
  { settings, dataDir }: SupervisorConfig,
  show: (text: string) => void,
): Promise<FirstKey | undefined> {
  if (!settings.AUTH_ENABLED || settings.API_KEYS !== undefined) return undefined;
  const file = keyFileFor({ settings, dataDir });
  if (existsSync(file)) return undefined;
  // Read only when needed: the schema of the key file would stay in the supervisor's memory.
  const { ensureFirstKey } = await import('../../keys/first-key.ts');
  return ensureFirstKey(file, ({ id, secret }) =>
    show(`\nFirst API key "${id}" (shown only once: save it):\n  ${secret}\n\n`),
  );
}

export function keyFileFor({ settings, dataDir }: Pick<SupervisorConfig, 'settings' | 'dataDir'>): string {
  return keyFilePath({ AUTH_KEYS_FILE: settings.AUTH_KEYS_FILE, dataDir });
}
