import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { newFolder, startDeployment } from '../../harness/start-deployment.ts';

it('a gateway that cannot run as configured ends the process with exit code 4 and its own message', async () => {
  const folder = newFolder();
  const program = join(folder, 'gateway.mjs');
  writeFileSync(program, 'console.error("PORT: not to my liking"); process.exit(2)');
  await using deployment = await startDeployment({ folder, env: { GATEWAY_PROGRAM: program } });
  expect(await deployment.exitCode()).toBe(4);
  expect(deployment.output().split('gateway: PORT: not to my liking')).toHaveLength(2);
  expect(deployment.output()).toMatch(
    /giving up on the gateway at its first start \(unknown\): .*; exit status 4\n$/,
  );
  expect(deployment.children()).toEqual([]);
});
