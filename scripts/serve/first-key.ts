import { existsSync } from 'node:fs';
import { keyFilePath } from '../../keys/key-file-path.ts';
import type { SupervisorConfig } from '../../supervisor/config.ts';

export interface FirstKey {
  readonly id: string;
  /** Known now and never again. */
  readonly secret: string;
}

/** Makes a key where a newcomer has none: undefined where there is a key file already, or none is asked for. */
export async function provideFirstKey({
  settings,
  dataDir,
}: SupervisorConfig): Promise<FirstKey | undefined> {
  if (!settings.AUTH_ENABLED || settings.API_KEYS !== undefined) return undefined;
  const file = keyFileOf({ settings, dataDir });
  if (existsSync(file)) return undefined;
  // Read only when needed: the schema of the key file would stay in the supervisor's memory.
  const { ensureFirstKey } = await import('../../keys/first-key.ts');
  return ensureFirstKey(file);
}

export function keyFileOf({ settings, dataDir }: Pick<SupervisorConfig, 'settings' | 'dataDir'>): string {
  return keyFilePath({ AUTH_KEYS_FILE: settings.AUTH_KEYS_FILE, dataDir });
}
