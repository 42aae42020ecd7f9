import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectFolder } from '../../scripts/project-folders.ts';
import { freePort } from '../harness/free-port.ts';
import { keyFileText } from '../harness/key-file-text.ts';
import { waitFor } from '../harness/wait-for.ts';

const secretOf = (id: string) => `sk-${id}-0123456789abcdefghijklmnopqrstuvwxyz`;

/** The keys that the pictures show. */
export const shownKeys = {
  'web-app': { secret: secretOf('web-app'), priority: 'high', limits: { tokensPerDay: 150_000 } },
  'night-batch': { secret: secretOf('night-batch'), priority: 'low', limits: { tokensPerDay: 60_000 } },
  research: { secret: secretOf('research') },
  ops: { secret: secretOf('ops'), scopes: ['admin'] },
} as const;

export interface ShownProduct extends AsyncDisposable {
  readonly origin: string;
  /** Ends llama-server, as a machine short of memory would. */
  killEngine(): void;
}

/** The whole house with the demo model and four slots, two GPUs that are played, and a price. */
export async function startShownProduct(): Promise<ShownProduct> {
  const folder = mkdtempSync(join(tmpdir(), 'corral-shown-'));
  const [port, healthPort] = [await freePort(), await freePort()];
  writeFileSync(join(folder, 'keys.json'), keyFileText(shownKeys), { mode: 0o600 });
  const smi = join(folder, 'nvidia-smi-steady');
  symlinkSync(join(projectFolder, 'test/fakes/fake-nvidia-smi.ts'), smi);
  const child = spawn(process.execPath, [join(projectFolder, 'cli/corral.ts'), 'serve', '--demo'], {
    env: {
      ...process.env,
      DATA_DIR: folder,
      TMPDIR: folder,
      HOST: '127.0.0.1',
      PORT: String(port),
      PORT_HEALTH: String(healthPort),
      PARALLEL: '4',
      MAX_REQUESTS_PER_MINUTE: '0',
      COST_PER_HOUR: '2.49',
      NVIDIA_SMI: smi,
      LOG_FORMAT: 'json',
      LOG_LEVEL: 'warn',
      MODEL_ALIAS: 'demo',
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const isReady = async () => (await fetch(`http://127.0.0.1:${healthPort}/readyz`)).ok;
  await waitFor('the house to be ready', isReady, { within: 60_000, every: 100 });
  return {
    origin: `http://127.0.0.1:${port}`,
    killEngine() {
      for (const note of globSync('corral-*/owner.json', { cwd: folder })) {
        const { children } = JSON.parse(readFileSync(join(folder, note), 'utf8'));
        process.kill(children[0].pid, 'SIGKILL');
      }
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await once(child, 'exit');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
