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

/** A request that llama-server declines. */
async function mistaken({ openai }: Clients): Promise<Told> {
  const messages = [{ role: 'user' as const, content: 'x' }];
  const asked = openai.chat.completions.create({ model: 'demo', messages, top_logprobs: 2 });
  await expect(asked).rejects.toMatchObject({ status: 400 });
  return { input: 0, output: 0 };
}

/** What each crowd was told: those that hear all of it, those that leave early, those that are declined. */
type Crowds = Record<'stays' | 'leaves' | 'errs', UsageSums>;

async function addCrowds(told: Crowds, origin: string): Promise<void> {
  const as = (id: keyof Crowds) => clientsOf(origin, secretOf(id));
  const [stays, leaves, errs] = await Promise.all([
    askMany(as('stays'), 500, whole),
    askMany(as('leaves'), 40, aborted),
    askMany(as('errs'), 80, mistaken),
  ]);
  addUsage(told.stays, stays);
  addUsage(told.leaves, leaves);
  addUsage(told.errs, errs);
}

/** Ends the gateway of a house; settles when the next one serves. */
async function replaceGateway(
  house: RunningDeployment,
  origin: string,
  signal: NodeJS.Signals,
): Promise<void> {
  const [, gateway = 0] = house.children();
  process.kill(gateway, signal);
  await waitFor('the gateway to be gone', () => !isRunning(gateway));
  await waitFor('the next gateway', async () => (await fetch(`${origin}/readyz`)).ok);
}

/** Kills the engine while it is at work on some, streams in their middle among them: each is told the tokens of one answer. */
async function addThroughEngineDeath(told: Crowds, house: RunningDeployment, origin: string): Promise<void> {
  const [engine = 0] = house.children();
  let answered = 0;
  const asked = askMany(clientsOf(origin, secretOf('stays')), 200, async (clients, n) => {
    const one = await (n % 8 === 0 ? long(clients) : whole(clients, n));
    answered += 1;
    return one;
  });
  await waitFor('some to be answered', () => answered > 50, { every: 1 });
  process.kill(engine, 'SIGKILL');
  addUsage(told.stays, await asked);
  expect(await house.status()).toMatchObject({ restarts: { engine: 1 } });
}

it('the usage of thousands of requests adds up over an engine crash and two gateway restarts', async () => {
  await using house = await startBusyHouse();
  await house.reachesStatus('ready');
  const origin = `http://127.0.0.1:${house.gatewayPort}`;
  const ledger = (id: keyof Crowds) => inLedger(join(house.folder, 'data'), id);
  const told: Crowds = { stays: { ...noUsage }, leaves: { ...noUsage }, errs: { ...noUsage } };

  await addCrowds(told, origin);
  // What it holds in memory then is written on its way out.
  await replaceGateway(house, origin, 'SIGTERM');
  await addThroughEngineDeath(told, house, origin);
  await addCrowds(told, origin);
  const isWritten = () => ledger('leaves').requests === 2 * told.leaves.requests;
  await waitFor('all to be on disk', () => isWritten() && ledger('stays').requests === told.stays.requests);
  await replaceGateway(house, origin, 'SIGKILL');
  await addCrowds(told, origin);
  house.process.kill('SIGTERM');
  expect(await house.exitCode()).toBe(0);

  expect(ledger('stays')).toMatchObject({
    requests: 1700,
    errors: 0,
    input: told.stays.input,
    output: told.stays.output,
  });
  expect(ledger('errs')).toMatchObject({ requests: 240, errors: 240, input: 0, output: 0 });
  expect(ledger('leaves')).toMatchObject({ requests: 240, errors: 0, input: told.leaves.input });
  expect(ledger('leaves').output).toBeGreaterThanOrEqual(told.leaves.output);
});
