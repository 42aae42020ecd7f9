import { readSettings } from '../../settings/read-settings.ts';
import { type StoreConfig, storeConfig } from '../../store/config.ts';
import { openStore, type Store } from '../../store/store.ts';
import { resolveDataDir } from '../../supervisor/data-dir.ts';
import { UsageError } from '../run-command.ts';

interface OpenOptions {
  /** Then STORE_KEY has to be the key with which they were encrypted. Without, everything can be counted and removed. */
  readonly readsContents?: boolean;
}

/** The store of this machine. Throws an error with the fix. */
export function openLocalStore({ readsContents = false }: OpenOptions = {}): {
  readonly store: Store;
  readonly config: StoreConfig;
} {
  const { settings, problems } = readSettings(process.env);
  const problem = problems.find(({ variable }) => variable.startsWith('STORE_KEY'));
  if (readsContents && problem !== undefined) throw new UsageError(problem.message);
  const config = storeConfig(settings, resolveDataDir(settings.DATA_DIR));
  return { store: openStore(config, { role: 'command', readsContents }), config };
}
