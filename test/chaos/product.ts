import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { argumentsOf, childPids } from '../harness/child-processes.ts';
import { isRunning } from '../harness/start-deployment.ts';
import { type Product, startProduct } from '../harness/start-product.ts';

/** The product, set up for far more crashes than a real machine has. */
export interface ChaosProduct extends Product {
  readonly secret: string;
  /** The key of requests that may fail by design, so that they are not part of the usage that is compared. */
  readonly otherSecret: string;
  readonly keyFile: string;
  readonly dataDir: string;
  /** Moves the clock of its processes by `ms`. */
  shiftClock(ms: number): void;
  /** The pid of its running child. */
  pidOf(child: 'llama-server' | 'gateway'): number | undefined;
  /** The names of the files in its folder for temporary files. */
  temporaryFiles(): readonly string[];
}

export async function startChaosProduct(): Promise<ChaosProduct> {
  const [secret, otherSecret] = ['sk-chaos-0123456789abcdef', 'sk-other-0123456789abcdef'];
  const clockOf = (folder: string) => join(folder, 'clock');
  const temporaryOf = (folder: string) => join(folder, 't');
  const keyFileOf = (folder: string) => join(folder, 'api_keys.txt');
  const product = await startProduct((folder) => {
    writeFileSync(keyFileOf(folder), `chaos:${secret}\nother:${otherSecret}\n`, { mode: 0o600 });
    writeFileSync(clockOf(folder), '0');
    return {
      CHAOS_CLOCK: clockOf(folder),
      NODE_OPTIONS: `--import=${join(import.meta.dirname, 'shifted-clock.ts')}`,
      TMPDIR: temporaryOf(folder),
      AUTH_KEYS_FILE: keyFileOf(folder),
      PARALLEL: '8',
      MAX_QUEUE_SIZE: '1000',
      MAX_QUEUE_PER_KEY: '1000',
      QUEUE_TIMEOUT: '10m',
      MAX_REPLAYS: '1000',
      RESTART_DELAY_MIN: '100ms',
      RESTART_DELAY_MAX: '500ms',
      RESTART_MAX_CRASHES: '100000',
      RESTART_MAX_LOAD_CRASHES: '100000',
      HANG_TIMEOUT: '3s',
    };
  });
  const { process: child, folder } = product;
  return {
    ...product,
    secret,
    otherSecret,
    keyFile: keyFileOf(folder),
    dataDir: join(folder, 'data'),
    shiftClock: (ms) => writeFileSync(clockOf(folder), String(ms)),
    pidOf: (name) =>
      childPids(child).find((pid) => isRunning(pid) && argumentsOf(pid).join(' ').includes(marks[name])),
    temporaryFiles: () => readdirSync(temporaryOf(folder), { recursive: true }).map(String),
  };
}

const marks = { 'llama-server': 'llama-server', gateway: 'gateway/main.ts' } as const;
