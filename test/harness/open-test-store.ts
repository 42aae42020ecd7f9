import { readSettings } from '../../settings/read-settings.ts';
import { type StoreConfig, storeConfig } from '../../store/config.ts';
import type { StoreRole } from '../../store/database.ts';
import { openStore, type Store } from '../../store/store.ts';
import { temporaryFolder } from './temporary-folder.ts';

export interface TestStore extends AsyncDisposable {
  readonly folder: string;
  readonly config: StoreConfig;
  readonly store: Store;
  /** Opens it a second time, as another process does. */
  open(role: StoreRole): Store;
}

/** A store in a new folder, without limits that a test could reach by accident. */
export async function openTestStore(
  options: Partial<StoreConfig> & { readonly role?: StoreRole } = {},
): Promise<TestStore> {
  const folder = await temporaryFolder();
  const { role = 'runner', ...changes } = options;
  const config: StoreConfig = {
    folder: folder.path,
    key: undefined,
    maxFileSize: 1024 ** 3,
    maxSize: 1024 ** 4,
    maxSizePerKey: 0,
    maxBatchesPerKey: 0,
    retention: 30 * 24 * 60 * 60,
    ...changes,
  };
  const store = openStore(config, { role });
  const opened = [store];
  return {
    folder: folder.path,
    config,
    store,
    open(asRole) {
      const another = openStore(config, { role: asRole });
      opened.push(another);
      return another;
    },
    async [Symbol.asyncDispose]() {
      for (const each of opened) each[Symbol.dispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** The store of a product that runs with this environment, as its gateway uses it. */
export const openProductStore = (dataDir: string, env: Readonly<Record<string, string>> = {}): Store =>
  openStore(storeConfig(readSettings({ ...env, DATA_DIR: dataDir }).settings), { role: 'gateway' });
