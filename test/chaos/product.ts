import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { argumentsOf, childPids } from '../harness/child-processes.ts';
import { keyFileText } from '../harness/key-file-text.ts';
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
  /** Of a key with the scope `admin`. */
  readonly adminSecret: string;
  gatewayPid(): number | undefined;
  /** The pids of its running llama-servers. */
  enginePids(): number[];
  /** The names of the files in its folder for temporary files. */
  temporaryFiles(): readonly string[];
}

/** `prepare` gets its folder and returns further variables. Without it, the demo model is served. */
export async function startChaosProduct(
  prepare?: (folder: string) => Readonly<Record<string, string>>,
): Promise<ChaosProduct> {
  const [secret, otherSecret] = ['sk-chaos-0123456789abcdef', 'sk-other-0123456789abcdef'];
  const adminSecret = 'sk-admin-0123456789abcdef';
  const keys = {
    chaos: { secret },
    other: { secret: otherSecret },
    admin: { secret: adminSecret, scopes: ['admin' as const] },
  };
  const clockOf = (folder: string) => join(folder, 'clock');
  const temporaryOf = (folder: string) => join(folder, 't');
  const keyFileOf = (folder: string) => join(folder, 'keys.json');
  const settings = (folder: string) => {
    writeFileSync(keyFileOf(folder), keyFileText(keys), { mode: 0o600 });
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
      ...prepare?.(folder),
    };
  };
  const product = await startProduct(settings, prepare ? ['serve'] : ['serve', '--demo']);
  const { process: child, folder } = product;
  const pidsOf = (mark: string) =>
    childPids(child).filter((pid) => isRunning(pid) && argumentsOf(pid).join(' ').includes(mark));
  return {
    ...product,
    secret,
    otherSecret,
    adminSecret,
    keyFile: keyFileOf(folder),
    dataDir: join(folder, 'data'),
    shiftClock: (ms) => writeFileSync(clockOf(folder), String(ms)),
    gatewayPid: () => pidsOf('gateway/main.ts')[0],
    enginePids: () => pidsOf('llama-server'),
    temporaryFiles: () => readdirSync(temporaryOf(folder), { recursive: true }).map(String),
  };
}
