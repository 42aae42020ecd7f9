import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { killProcess } from '../../harness/child-processes.ts';
import { startDeployment } from '../../harness/start-deployment.ts';

const isGateway = (pid: number) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('fake-gateway');

it('the health server responds while the gateway is blocked', async () => {
  await using deployment = await startDeployment();
  await deployment.reachesStatus('ready');
  const gateway = deployment.children().find(isGateway) ?? 0;
  killProcess(gateway, 'SIGSTOP');
  const gatewayResponse = fetch(`http://127.0.0.1:${deployment.gatewayPort}/livez`, {
    signal: AbortSignal.timeout(300),
  });
  await expect(gatewayResponse).rejects.toThrow();
  const statuses = await Promise.all(
    Array.from({ length: 100 }, async () => (await deployment.request('/ping')).status),
  );
  expect(new Set(statuses)).toEqual(new Set([200]));
  killProcess(gateway, 'SIGCONT');
});
