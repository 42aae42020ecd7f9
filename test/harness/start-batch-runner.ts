import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inject } from 'vitest';
import type { NewKeyOptions } from '../../keys/secret.ts';
import type { Store } from '../../store/store.ts';
import type { InstalledEngine } from '../../supervisor/engine/installed-engine.ts';
import { argumentsOf, servesModel } from './child-processes.ts';
import { keyFileText } from './key-file-text.ts';
import { openProductStore } from './open-test-store.ts';
import { newFolder, type RunningDeployment, startDeployment } from './start-deployment.ts';

type Keys = Readonly<Record<string, NewKeyOptions & { secret: string }>>;

export interface BatchDeployment extends AsyncDisposable {
  readonly deployment: RunningDeployment;
  readonly store: Store;
  /** Replaces the key file. */
  setKeys(keys: Keys): void;
  pidOf(child: 'runner' | 'gateway' | 'engine'): number | undefined;
}

export interface BatchDeploymentOptions {
  readonly keys?: Keys;
  readonly env?: Readonly<Record<string, string>>;
  /** The folder of an earlier deployment, to start again in. */
  readonly folder?: string;
  readonly engine?: InstalledEngine;
  /** Waits until it is ready; true by default. One that shuts down by itself may have ended before that is seen. */
  readonly untilReady?: boolean;
}

export const defaultKeys = { app: { secret: 'sk-app-0123456789abcdef' } };

/** The product with a store and a demo model, and the store as the test uses it. */
export async function startBatchRunner({
  keys = defaultKeys,
  env = {},
  folder = newFolder(),
  engine = inject('engine'),
  untilReady = true,
}: BatchDeploymentOptions = {}): Promise<BatchDeployment> {
  const dataDir = join(folder, 'data');
  mkdirSync(dataDir, { recursive: true });
  const setKeys = (next: Keys) =>
    writeFileSync(join(dataDir, 'keys.json'), keyFileText(next), { mode: 0o600 });
  setKeys(keys);
  const deployment = await startDeployment({
    folder,
    real: { engine, model: inject('demoModel') },
    env: {
      ...{ STORE: 'on', API_KEYS: '', MODEL_ALIAS: 'demo', MAX_REQUESTS_PER_MINUTE: '0' },
      ...{ CTX: '4096', PARALLEL: '4', RESTART_DELAY_MIN: '50ms', RESTART_DELAY_MAX: '500ms' },
      ...{ RESTART_MAX_CRASHES: '1000', ...env },
    },
  });
  if (untilReady) await deployment.reachesStatus('ready');
  const store = openProductStore(dataDir, env);
  const programs = { runner: 'jobs/main.ts', gateway: 'gateway/main.ts' };
  return {
    deployment,
    store,
    setKeys,
    pidOf: (child) =>
      deployment
        .children()
        .findLast((pid) =>
          child === 'engine'
            ? servesModel(pid, 'demo')
            : argumentsOf(pid).some((argument) => argument.endsWith(programs[child])),
        ),
    async [Symbol.asyncDispose]() {
      store[Symbol.dispose]();
      await deployment[Symbol.asyncDispose]();
    },
  };
}
