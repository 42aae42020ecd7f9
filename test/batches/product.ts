import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Store } from '../../store/store.ts';
import { argumentsOf, childPids, killProcess, servesModel } from '../harness/child-processes.ts';
import { keyFileText } from '../harness/key-file-text.ts';
import { openProductStore } from '../harness/open-test-store.ts';
import { type Product, startProduct } from '../harness/start-product.ts';
import { removeFolder } from '../harness/temporary-folder.ts';
import { demoModelFile } from '../services/demo-models.ts';
import { findTestEngine } from '../several-models/product.ts';

/** The secret of the key `app`, which owns the batches. */
export const appSecret = 'sk-app-0123456789abcdefghijklmnopqrstuvwxyz';

export const processes = ['engine', 'gateway', 'runner', 'supervisor'] as const;
export type ProcessName = (typeof processes)[number];

/** The product with a store and a demo model. Its data outlive its processes. */
export interface BatchProduct extends AsyncDisposable {
  readonly dataDir: string;
  readonly store: Store;
  /** Changes with each start of the supervisor. */
  readonly product: Product;
  /** Kills it; a killed supervisor is started again. Resolves when it is dead, or up again. */
  kill(name: ProcessName): Promise<void>;
}

export async function startBatchProduct(env: Readonly<Record<string, string>> = {}): Promise<BatchProduct> {
  await findTestEngine();
  const dataDir = mkdtempSync(join(tmpdir(), 'corral-batches-'));
  writeFileSync(join(dataDir, 'keys.json'), keyFileText({ app: { secret: appSecret } }), { mode: 0o600 });
  const model = await demoModelFile('guide');
  const start = () =>
    startProduct(
      (folder) => {
        const temporary = join(folder, 't');
        mkdirSync(temporary);
        return {
          ...{ DATA_DIR: dataDir, TMPDIR: temporary, STORE: 'on', MODEL_PATH: model, MODEL_ALIAS: 'demo' },
          ...{ PARALLEL: '4', CTX: '4096', THREADS: '1', LOG_LEVEL: 'warn' },
          ...{ RESTART_DELAY_MIN: '50ms', RESTART_DELAY_MAX: '500ms', RESTART_MAX_CRASHES: '1000000' },
          ...env,
        };
      },
      ['serve'],
    );
  let product = await start();
  const store = openProductStore(dataDir);
  return {
    dataDir,
    store,
    get product() {
      return product;
    },
    async kill(name) {
      if (name !== 'supervisor') {
        const pid = pidOf(product, name);
        if (pid !== undefined) killProcess(pid, 'SIGKILL');
        return;
      }
      product.process.kill('SIGKILL');
      await new Promise((resolve) => product.process.once('exit', resolve));
      await product[Symbol.asyncDispose]();
      product = await start();
    },
    async [Symbol.asyncDispose]() {
      store[Symbol.dispose]();
      await product[Symbol.asyncDispose]();
      await removeFolder(dataDir);
    },
  };
}

const programs = { runner: 'jobs/main.ts', gateway: 'gateway/main.ts' };

export function pidOf(product: Product, name: Exclude<ProcessName, 'supervisor'>): number | undefined {
  return childPids(product.process).find((pid) =>
    name === 'engine'
      ? servesModel(pid, 'demo')
      : argumentsOf(pid).some((argument) => argument.endsWith(programs[name])),
  );
}
