import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, it, vi } from 'vitest';
import { freePort } from './free-port.ts';

it('is a port that can be listened on, and that no system gives to others', async () => {
  const port = await freePort();
  expect(port).toBeLessThan(32_768);
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  server.close();
});

it('is given to one caller only, in whichever of the workers of a run', async () => {
  const given: number[] = [];
  for (const worker of ['1', '2', '4']) {
    vi.stubEnv('VITEST_POOL_ID', worker);
    vi.resetModules();
    const fresh: typeof import('./free-port.ts') = await import('./free-port.ts');
    for (let n = 0; n < 100; n++) given.push(await fresh.freePort());
  }
  vi.unstubAllEnvs();
  expect(new Set(given).size).toBe(given.length);
});
