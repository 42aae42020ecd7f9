import { ensureFirstKey } from '../../keys/first-key.ts';
import { keyFilePath } from '../../keys/key-file-path.ts';
import type { SupervisorConfig } from '../../supervisor/config.ts';

export interface FirstKey {
  readonly id: string;
  /** Known now and never again. */
  readonly secret: string;
}

/** Makes a key where a newcomer has none: undefined where there are keys already, or none are asked for. */
export async function provideFirstKey({
  settings,
  dataDir,
}: SupervisorConfig): Promise<FirstKey | undefined> {
  if (!settings.AUTH_ENABLED || settings.API_KEYS !== undefined) return undefined;
  const file = keyFileOf({ settings, dataDir });
  return file.endsWith('.json') ? ensureFirstKey(file) : undefined;
}

export function keyFileOf({ settings, dataDir }: Pick<SupervisorConfig, 'settings' | 'dataDir'>): string {
  return keyFilePath({ AUTH_KEYS_FILE: settings.AUTH_KEYS_FILE, dataDir });
}
