import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { formatBackendUrl } from '../../../health/backend.ts';
import { startFakeBackend } from '../../fakes/start-fake-backend.ts';
import { killChild } from '../../harness/child-processes.ts';
import { freePort } from '../../harness/free-port.ts';
import { temporaryFolder } from '../../harness/temporary-folder.ts';
import { waitFor } from '../../harness/wait-for.ts';

const corral = join(import.meta.dirname, '../../../cli/corral.ts');
const secret = 'sk-0123456789abcdef';

/** Rejected requests, with more log lines than a pipe holds. */
async function fillTheLog(port: number): Promise<void> {
  const path = `/v1/${'x'.repeat(2000)}`;
  for (let round = 0; round < 20; round++) {
    const responses = Array.from({ length: 20 }, async () => {
      const response = await fetch(`http://127.0.0.1:${port}${path}`);
      await response.text();
      return response.status;
    });
    expect(new Set(await Promise.all(responses))).toEqual(new Set([404]));
  }
}

describe('a blocked reader of the log does not delay a stop', () => {
  it.each([
    ['serve --demo', 'text'],
    ['serve --demo', 'json'],
    ['gateway', 'text'],
  ] as const)('corral %s with lines in %s ends with status 0', async (verb, format) => {
    await using folder = await temporaryFolder();
    await using backend = await startFakeBackend((_, response) => response.end());
    const [port, healthPort] = [await freePort(), await freePort()];
    const child = spawn(process.execPath, [corral, ...verb.split(' ')], {
      env: {
        PATH: process.env.PATH,
        NODE_COMPILE_CACHE: join(import.meta.dirname, '../../../.cache/node'),
        ...{ DATA_DIR: folder.file('data'), HOST: '127.0.0.1', GPU_METRICS: 'off', LOG_FORMAT: format },
        ...{ PORT: String(port), PORT_HEALTH: String(healthPort), API_KEYS: `me:${secret}` },
        MODEL_PATH: inject('demoModel'),
        ...(process.env.LLAMA_SERVER_BIN && { LLAMA_SERVER_BIN: process.env.LLAMA_SERVER_BIN }),
        ...(verb === 'gateway' && { BACKEND_URL: formatBackendUrl(backend.backend.address) }),
      },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await using _ended = { [Symbol.asyncDispose]: () => killChild(child) };
    child.stdout.pause();
    const isReady = async () => (await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined))?.ok;
    await waitFor('the gateway', async () => (await isReady()) === true);
    await fillTheLog(port);
    expect(child.stdout.readableLength).toBeGreaterThan(0);
    const exit = once(child, 'exit');
    child.kill('SIGTERM');
    expect(await exit).toEqual([0, null]);
  });
});
