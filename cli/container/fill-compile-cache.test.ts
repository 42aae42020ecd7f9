import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it } from 'vitest';
import { defaultGatewayCommand } from '../../supervisor/spawn-gateway.ts';
import { temporaryFolder } from '../../test/harness/temporary-folder.ts';

it('stores the code of the gateway under the flags that the supervisor starts it with', async () => {
  await using folder = await temporaryFolder();
  const env = { PATH: process.env.PATH, NODE_COMPILE_CACHE: folder.file('cache') };
  const script = join(import.meta.dirname, 'fill-compile-cache.ts');
  const filling = spawnSync(process.execPath, [script], { env, encoding: 'utf8' });
  expect([filling.status, filling.stderr]).toEqual([0, '']);

  const { command, args } = defaultGatewayCommand;
  const gateway = spawn(command, args, {
    env: {
      ...{ ...env, DATA_DIR: folder.file('data'), BACKEND_URL: 'http://127.0.0.1:1', HOST: '127.0.0.1' },
      ...{ PORT: '0', GPU_METRICS: 'off', NODE_DEBUG_NATIVE: 'COMPILE_CACHE' },
    },
  });
  const rejected: string[] = [];
  let accepted = 0;
  const read = async (stream: NodeJS.ReadableStream) => {
    for await (const line of createInterface(stream)) {
      if (/code cache .*\/gateway\/.* was accepted/.test(line)) accepted += 1;
      else if (/code cache .*\/gateway\/.* was rejected/.test(line)) rejected.push(line);
      if (line.includes('listens on port')) gateway.kill('SIGTERM');
    }
  };
  await Promise.all([read(gateway.stdout), read(gateway.stderr)]);
  expect([rejected, accepted > 100]).toEqual([[], true]);
});
