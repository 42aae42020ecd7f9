import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { newFolder, startDeployment } from '../../harness/start-deployment.ts';
import { waitFor } from '../../harness/wait-for.ts';

/** Responds at once, and says only then that it has its port when it is asked to: until then it is another program. */
const program = `
  const { createServer } = require('node:http');
  let requests = 0;
  createServer(({ url }, response) => {
    if (url === '/livez') requests += 1;
    else if (url === '/listen') process.send({ kind: 'listening' });
    response.end(String(requests));
  }).listen(Number(process.env.PORT), process.env.HOST);
`;

it('a program that responds at the port of a gateway is not taken for it', async () => {
  const folder = newFolder();
  const file = join(folder, 'gateway.cjs');
  writeFileSync(file, program);
  await using deployment = await startDeployment({ folder, env: { GATEWAY_PROGRAM: file } });
  const ask = async (path: string) =>
    (await fetch(`http://127.0.0.1:${deployment.gatewayPort}${path}`)).text();
  await waitFor('probes', async () => Number(await ask('/')) >= 2);
  expect(await deployment.status()).toMatchObject({ standing: 'loading' });
  await ask('/listen');
  await deployment.reachesStatus('ready');
});
