import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectFolder } from '../../scripts/project-folders.ts';
import { freePort } from '../harness/free-port.ts';
import { isRunning } from '../harness/start-deployment.ts';
import { waitFor } from '../harness/wait-for.ts';

/** The whole product with the demo model, in processes of its own, set up for a rate of crashes that no machine has. */
export interface ChaosProduct extends AsyncDisposable {
  readonly origin: string;
  readonly healthOrigin: string;
  readonly secret: string;
  /** Of a key whose answers may end in an error by design, kept apart from the sums. */
  readonly otherSecret: string;
  readonly keyFile: string;
  readonly dataDir: string;
  readonly process: ChildProcess;
  /** Lets its calendar be so many ms ahead, or behind. */
  shiftClock(ms: number): void;
  /** What it has printed on stdout and stderr. */
  output(): string;
  /** The one of its children that runs now. */
  pidOf(child: 'llama-server' | 'gateway'): number | undefined;
  /** Names of what lies in its folder for temporary files. */
  temporaryFiles(): readonly string[];
}

export const slots = 8;

export async function startChaosProduct(env: Readonly<Record<string, string>> = {}): Promise<ChaosProduct> {
  const folder = mkdtempSync(join(tmpdir(), 'chaos-'));
  const [port, healthPort] = [await freePort(), await freePort()];
  const [secret, otherSecret] = ['sk-chaos-0123456789abcdef', 'sk-other-0123456789abcdef'];
  const keyFile = join(folder, 'api_keys.txt');
  writeFileSync(keyFile, `chaos:${secret}\nother:${otherSecret}\n`, {
    mode: 0o600,
  });
  const [dataDir, temporary] = [join(folder, 'data'), join(folder, 't')];
  const clock = join(folder, 'clock');
  const shiftClock = (ms: number) => writeFileSync(clock, String(ms));
  shiftClock(0);
  let printed = '';
  const child = spawn(process.execPath, [join(projectFolder, 'cli/corral.ts'), 'serve', '--demo'], {
    env: {
      ...process.env,
      CHAOS_CLOCK: clock,
      NODE_OPTIONS: `--import=${join(import.meta.dirname, 'shifted-clock.ts')}`,
      TMPDIR: temporary,
      DATA_DIR: dataDir,
      AUTH_KEYS_FILE: keyFile,
      HOST: '127.0.0.1',
      PORT: String(port),
      PORT_HEALTH: String(healthPort),
      PARALLEL: String(slots),
      MAX_QUEUE_SIZE: '1000',
      MAX_QUEUE_PER_KEY: '1000',
      MAX_REQUESTS_PER_MINUTE: '0',
      QUEUE_TIMEOUT: '10m',
      MAX_REPLAYS: '1000',
      RESTART_DELAY_MIN: '100ms',
      RESTART_DELAY_MAX: '500ms',
      RESTART_MAX_CRASHES: '100000',
      RESTART_MAX_LOAD_CRASHES: '100000',
      HANG_TIMEOUT: '3s',
      LOG_FORMAT: 'json',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
  }
  const healthOrigin = `http://127.0.0.1:${healthPort}`;
  const isReady = async () => (await fetch(`${healthOrigin}/readyz`)).ok;
  await waitFor('the product to be ready', isReady, { within: 60_000, every: 100 }).catch((error) => {
    child.kill('SIGKILL');
    throw new Error(`${error.message}; it printed:\n${printed}`, { cause: error });
  });
  return {
    origin: `http://127.0.0.1:${port}`,
    healthOrigin,
    secret,
    otherSecret,
    keyFile,
    dataDir,
    process: child,
    shiftClock,
    output: () => printed,
    pidOf: (name) => childrenOf(child).find((pid) => isRunning(pid) && commandOf(pid).includes(marks[name])),
    temporaryFiles: () => readdirSync(temporary, { recursive: true }).map(String),
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

const marks = { 'llama-server': 'llama-server', gateway: 'gateway/main.ts' } as const;

/** As the kernel knows them. */
function childrenOf({ pid }: ChildProcess): number[] {
  const list = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return list.trim().split(' ').map(Number);
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
