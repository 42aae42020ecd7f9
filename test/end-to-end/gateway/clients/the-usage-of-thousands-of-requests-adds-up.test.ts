import { join } from 'node:path';
import { expect, inject, it } from 'vitest';
import { addUsage, noUsage, type UsageSums } from '../../../../gateway/api/usage.ts';
import { argumentsOf, killProcess } from '../../../harness/child-processes.ts';
import { isRunning, type RunningDeployment, startDeployment } from '../../../harness/start-deployment.ts';
import { waitFor } from '../../../harness/wait-for.ts';
import {
  aborted,
  type Clients,
  complete,
  createClients,
  long,
  type ReportedUsage,
  readLedger,
  sendMany,
} from './reported-usage.ts';

const secretOf = (id: string) => `sk-${id}-0123456789abcdefghijklmnopqrstuv`;

const startBusyDeployment = () =>
  startDeployment({
    real: { engine: inject('engine'), model: inject('demoModel') },
    env: {
      API_KEYS: ['complete', 'aborted', 'invalid'].map((id) => `${id}:${secretOf(id)}`).join(),
      MAX_REQUESTS_PER_MINUTE: '0',
      LOG_LEVEL: 'warn',
      PARALLEL: '4',
      CTX: '8192',
      EXTRA_ARGS: '--cache-ram 0',
    },
  });

/** A request that llama-server rejects. */
async function invalid({ openai }: Clients): Promise<ReportedUsage> {
  const messages = [{ role: 'user' as const, content: 'x' }];
  const response = openai.chat.completions.create({ model: 'demo', messages, top_logprobs: 2 });
  await expect(response).rejects.toMatchObject({ status: 400 });
  return { input: 0, output: 0 };
}

/** The usage reported to each group of clients: those with complete, aborted and invalid requests. */
type Groups = Record<'complete' | 'aborted' | 'invalid', UsageSums>;

async function addGroups(reported: Groups, origin: string): Promise<void> {
  const as = (id: keyof Groups) => createClients(origin, secretOf(id));
  const [ofComplete, ofAborted, ofInvalid] = await Promise.all([
    sendMany(as('complete'), 500, complete),
    sendMany(as('aborted'), 40, aborted),
    sendMany(as('invalid'), 80, invalid),
  ]);
  addUsage(reported.complete, ofComplete);
  addUsage(reported.aborted, ofAborted);
  addUsage(reported.invalid, ofInvalid);
}

const isGateway = (pid: number) => argumentsOf(pid).some((argument) => argument.endsWith('gateway/main.ts'));

/** Kills the gateway; resolves when the next one is ready. */
async function replaceGateway(
  deployment: RunningDeployment,
  origin: string,
  signal: NodeJS.Signals,
): Promise<void> {
  const gateway = deployment.children().find((pid) => isRunning(pid) && isGateway(pid)) ?? 0;
  killProcess(gateway, signal);
  await waitFor('the gateway to exit', () => !isRunning(gateway));
  await waitFor('the next gateway', async () => (await fetch(`${origin}/readyz`)).ok);
}

/** Kills the engine during requests and streams. Each client is still reported the usage of one response. */
async function addDuringEngineCrash(
  reported: Groups,
  deployment: RunningDeployment,
  origin: string,
): Promise<void> {
  const [engine = 0] = deployment.children();
  let finished = 0;
  const sent = sendMany(createClients(origin, secretOf('complete')), 200, async (clients, n) => {
    const one = await (n % 8 === 0 ? long(clients) : complete(clients, n));
    finished += 1;
    return one;
  });
  await waitFor('some requests to finish', () => finished > 50, { every: 1 });
  killProcess(engine, 'SIGKILL');
  addUsage(reported.complete, await sent);
  expect(await deployment.status()).toMatchObject({ restarts: { engine: 1 } });
}

it('the usage of thousands of requests adds up over an engine crash and two gateway restarts', async () => {
  await using deployment = await startBusyDeployment();
  await deployment.reachesStatus('ready');
  const origin = `http://127.0.0.1:${deployment.gatewayPort}`;
  const ledger = (id: keyof Groups) => readLedger(join(deployment.folder, 'data'), id);
  const reported: Groups = { complete: { ...noUsage }, aborted: { ...noUsage }, invalid: { ...noUsage } };

  await addGroups(reported, origin);
  // Usage in memory is written before it exits.
  await replaceGateway(deployment, origin, 'SIGTERM');
  await addDuringEngineCrash(reported, deployment, origin);
  await addGroups(reported, origin);
  const isWritten = () => ledger('aborted').requests === 2 * reported.aborted.requests;
  await waitFor(
    'all usage on disk',
    () => isWritten() && ledger('complete').requests === reported.complete.requests,
  );
  await replaceGateway(deployment, origin, 'SIGKILL');
  await addGroups(reported, origin);
  expect(await deployment.status()).toMatchObject({ restarts: { engine: 1, gateway: 2 } });
  deployment.process.kill('SIGTERM');
  expect(await deployment.exitCode()).toBe(0);

  expect(ledger('complete')).toMatchObject({
    requests: 1700,
    errors: 0,
    input: reported.complete.input,
    output: reported.complete.output,
  });
  expect(ledger('invalid')).toMatchObject({ requests: 240, errors: 240, input: 0, output: 0 });
  expect(ledger('aborted')).toMatchObject({ requests: 240, errors: 0, input: reported.aborted.input });
  expect(ledger('aborted').output).toBeGreaterThanOrEqual(reported.aborted.output);
});
