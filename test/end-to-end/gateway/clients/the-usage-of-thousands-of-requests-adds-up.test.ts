import { join } from 'node:path';
import { expect, inject, it } from 'vitest';
import { addUsage, noUsage, type UsageSums } from '../../../../gateway/proxy/usage-sums.ts';
import { isRunning, type RunningDeployment, startDeployment } from '../../../harness/start-deployment.ts';
import { waitFor } from '../../../harness/wait-for.ts';
import {
  aborted,
  askMany,
  type Clients,
  clientsOf,
  inLedger,
  long,
  type Told,
  whole,
} from './reported-usage.ts';

const secretOf = (id: string) => `sk-${id}-0123456789abcdefghijklmnopqrstuv`;

const startBusyHouse = () =>
  startDeployment({
    real: { engine: inject('engine'), model: inject('demoModel') },
    env: {
      API_KEYS: ['stays', 'leaves', 'errs'].map((id) => `${id}:${secretOf(id)}`).join(),
      MAX_REQUESTS_PER_MINUTE: '0',
      LOG_LEVEL: 'warn',
      PARALLEL: '4',
      CTX: '8192',
      THREADS: '1',
      EXTRA_ARGS: '--cache-ram 0',
    },
  });

/** A request that llama-server rejects. */
async function mistaken({ openai }: Clients): Promise<Told> {
  const messages = [{ role: 'user' as const, content: 'x' }];
  const request = openai.chat.completions.create({ model: 'demo', messages, top_logprobs: 2 });
  await expect(request).rejects.toMatchObject({ status: 400 });
  return { input: 0, output: 0 };
}

/** The usage of each group of clients: those that read everything, those that disconnect early, those that get an error. */
type UsageByGroup = Record<'stays' | 'leaves' | 'errs', UsageSums>;

async function addGroups(reported: UsageByGroup, origin: string): Promise<void> {
  const as = (id: keyof UsageByGroup) => clientsOf(origin, secretOf(id));
  const [stays, leaves, errs] = await Promise.all([
    askMany(as('stays'), 500, whole),
    askMany(as('leaves'), 40, aborted),
    askMany(as('errs'), 80, mistaken),
  ]);
  addUsage(reported.stays, stays);
  addUsage(reported.leaves, leaves);
  addUsage(reported.errs, errs);
}

/** Ends the gateway of a deployment; resolves when the next one serves. */
async function replaceGateway(
  deployment: RunningDeployment,
  origin: string,
  signal: NodeJS.Signals,
): Promise<void> {
  const [, gateway = 0] = deployment.children();
  process.kill(gateway, signal);
  await waitFor('the gateway to be gone', () => !isRunning(gateway));
  await waitFor('the next gateway', async () => (await fetch(`${origin}/readyz`)).ok);
}

/** Kills the engine while it works on requests and streams: each of them gets the usage of one completion. */
async function addThroughEngineCrash(
  reported: UsageByGroup,
  deployment: RunningDeployment,
  origin: string,
): Promise<void> {
  const [engine = 0] = deployment.children();
  let answered = 0;
  const request = askMany(clientsOf(origin, secretOf('stays')), 200, async (clients, n) => {
    const one = await (n % 8 === 0 ? long(clients) : whole(clients, n));
    answered += 1;
    return one;
  });
  await waitFor('some to be answered', () => answered > 50, { every: 1 });
  process.kill(engine, 'SIGKILL');
  addUsage(reported.stays, await request);
  expect(await deployment.status()).toMatchObject({ restarts: { engine: 1 } });
}

it('the usage of thousands of requests adds up over an engine crash and two gateway restarts', async () => {
  await using deployment = await startBusyHouse();
  await deployment.reachesStatus('ready');
  const origin = `http://127.0.0.1:${deployment.gatewayPort}`;
  const ledger = (id: keyof UsageByGroup) => inLedger(join(deployment.folder, 'data'), id);
  const reported: UsageByGroup = { stays: { ...noUsage }, leaves: { ...noUsage }, errs: { ...noUsage } };

  await addGroups(reported, origin);
  // The gateway writes the usage in its memory before it exits.
  await replaceGateway(deployment, origin, 'SIGTERM');
  await addThroughEngineCrash(reported, deployment, origin);
  await addGroups(reported, origin);
  const isWritten = () => ledger('leaves').requests === 2 * reported.leaves.requests;
  await waitFor(
    'all to be on disk',
    () => isWritten() && ledger('stays').requests === reported.stays.requests,
  );
  await replaceGateway(deployment, origin, 'SIGKILL');
  await addGroups(reported, origin);
  deployment.process.kill('SIGTERM');
  expect(await deployment.exitCode()).toBe(0);

  expect(ledger('stays')).toMatchObject({
    requests: 1700,
    errors: 0,
    input: reported.stays.input,
    output: reported.stays.output,
  });
  expect(ledger('errs')).toMatchObject({ requests: 240, errors: 240, input: 0, output: 0 });
  expect(ledger('leaves')).toMatchObject({ requests: 240, errors: 0, input: reported.leaves.input });
  expect(ledger('leaves').output).toBeGreaterThanOrEqual(reported.leaves.output);
});
