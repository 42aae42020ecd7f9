import { join } from 'node:path';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { projectFolder } from '../../../scripts/project-folders.ts';
import { freePort } from '../../harness/free-port.ts';
import { temporaryFolder } from '../../harness/temporary-folder.ts';
import { waitFor } from '../../harness/wait-for.ts';

it.each([
  ['on', 1],
  ['off', 0],
])('with STORE=%s it says so %i times', async (STORE, times) => {
  await using folder = await temporaryFolder();
  const port = await freePort();
  const child = execa(process.execPath, [join(projectFolder, 'cli/corral.ts'), 'gateway'], {
    ...{ extendEnv: false, reject: false, stdin: 'ignore', all: true, buffer: false },
    env: {
      ...{ PATH: process.env.PATH, DATA_DIR: folder.path, HOST: '127.0.0.1', PORT: String(port), STORE },
      BACKEND_URL: 'http://127.0.0.1:9',
    },
  });
  let output = '';
  child.all.on('data', (text) => {
    output += text;
  });
  await waitFor('the gateway', async () => (await fetch(`http://127.0.0.1:${port}/livez`)).ok);
  await waitFor('its log', () => output.includes('gateway listens'));
  child.kill('SIGTERM');
  await child;
  expect(output.match(/batches are stored but not run/g) ?? []).toHaveLength(times);
  expect(output.match(/only (")?corral serve/g) ?? []).toHaveLength(times);
});
