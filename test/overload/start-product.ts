import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectFolder } from '../../scripts/project-folders.ts';
import { waitFor } from '../harness/wait-for.ts';

export interface Product extends AsyncDisposable {
  readonly origin: string;
  readonly secret: string;
}

/** The whole house with the demo model and four slots, in processes of its own. */
export async function startProduct(port: number, healthPort: number): Promise<Product> {
  const dataDir = mkdtempSync(join(tmpdir(), 'corral-overload-'));
  const secret = 'sk-overload-0123456789';
  const child = spawn(process.execPath, [join(projectFolder, 'cli/corral.ts'), 'serve', '--demo'], {
    env: {
      ...process.env,
      DATA_DIR: dataDir,
      HOST: '127.0.0.1',
      PORT: String(port),
      PORT_HEALTH: String(healthPort),
      PARALLEL: '4',
      API_KEYS: `overload:${secret}`,
      MAX_QUEUE_PER_KEY: '100',
      MAX_REQUESTS_PER_MINUTE: '0',
      LOG_FORMAT: 'json',
      LOG_LEVEL: 'warn',
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const isReady = async () => (await fetch(`http://127.0.0.1:${healthPort}/readyz`)).ok;
  await waitFor('the house to be ready', isReady, { within: 60_000, every: 100 });
  return {
    origin: `http://127.0.0.1:${port}`,
    secret,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await once(child, 'exit');
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
