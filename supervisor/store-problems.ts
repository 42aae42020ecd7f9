import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Settings } from '../settings/variables.ts';
import { storeConfig } from '../store/config.ts';
import { StoreError, StoreUnavailable } from '../store/errors.ts';
import { openStore, storeFileName } from '../store/store.ts';

/**
 * Why the store of this folder cannot be opened as it is configured, such as with another `STORE_KEY`. What the disk refuses
 * is no reason: then the gateway serves everything else.
 */
export function storeProblems(settings: Settings): string[] {
  const config = storeConfig(settings);
  if (!existsSync(join(config.folder, storeFileName))) return [];
  try {
    openStore(config, { role: 'command', readsContents: true })[Symbol.dispose]();
    return [];
  } catch (error) {
    if (error instanceof StoreError) return [error.message];
    if (error instanceof StoreUnavailable) return [];
    throw error;
  }
}
