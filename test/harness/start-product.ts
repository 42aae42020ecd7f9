import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectFolder } from '../../scripts/project-folders.ts';
import { freePort } from './free-port.ts';
import { showIfTestFails } from './process-outputs.ts';
import { removeFolder } from './temporary-folder.ts';
import { waitFor } from './wait-for.ts';

/** `corral serve` with all its processes: supervisor, gateway and real llama-servers. */
export interface Product extends AsyncDisposable {
  readonly process: ChildProcess;
  readonly origin: string;
  readonly healthOrigin: string;
  /** A folder of its own, removed at the end. */
  readonly folder: string;
  /** Its stdout and stderr. */
  output(): string;
}

/**
 * Starts the product, by default with the demo model, and waits until it is ready. `env` gets the folder, for settings
 * that are paths.
 */
export async function startProduct(
  env: (folder: string) => Readonly<Record<string, string>>,
  args: readonly string[] = ['serve', '--demo'],
): Promise<Product> {
  const folder = mkdtempSync(join(tmpdir(), 'corral-product-'));
  const [port, healthPort] = [await freePort(), await freePort()];
  let output = '';
  const child = spawn(process.execPath, [join(projectFolder, 'cli/corral.ts'), ...args], {
    env: {
      ...process.env,
      NODE_COMPILE_CACHE: join(projectFolder, '.cache/node'),
      DATA_DIR: join(folder, 'data'),
      HOST: '127.0.0.1',
      PORT: String(port),
      PORT_HEALTH: String(healthPort),
      MAX_REQUESTS_PER_MINUTE: '0',
      LOG_FORMAT: 'json',
      ...env(folder),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  showIfTestFails(() => output);
  const healthOrigin = `http://127.0.0.1:${healthPort}`;
  const product: Product = {
    process: child,
    origin: `http://127.0.0.1:${port}`,
    healthOrigin,
    folder,
    output: () => output,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM');
        await once(child, 'exit');
      }
      await removeFolder(folder);
    },
  };
  const isReady = async () => (await fetch(`${healthOrigin}/readyz`)).ok;
  await waitFor('the product to be ready', isReady, { every: 100 }).catch(async (error) => {
    child.kill('SIGKILL');
    await product[Symbol.asyncDispose]();
    throw new Error(`${error.message}; its output:\n${output}`, { cause: error });
  });
  return product;
}
