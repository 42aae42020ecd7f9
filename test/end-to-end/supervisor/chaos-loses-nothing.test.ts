import { once } from 'node:events';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { chaosRequests, prepareChaosModels } from '../../chaos/chaos-models.ts';
import { engineFaults } from '../../chaos/faults.ts';
import { modelFaults } from '../../chaos/model-faults.ts';
import { type ChaosProduct, startChaosProduct } from '../../chaos/product.ts';
import { type ChaosReport, runChaos } from '../../chaos/run-chaos.ts';
import { readLedger } from '../gateway/clients/reported-usage.ts';

let product: ChaosProduct;
let usage: ChaosReport['usage'] | undefined;
beforeAll(async () => {
  product = await startChaosProduct();
});
afterAll(() => product[Symbol.asyncDispose]());

/** The short form of `npm run chaos`: every fault once. */
it('clients of the official SDKs get every word once, whatever happens to the engine, the keys and the disk', async () => {
  const plan = { clients: 12, durationMs: 0, faults: engineFaults, pauseMs: 300 };
  const report = await runChaos(product, plan);
  expect(report.failures).toEqual([]);
  expect(report.completed).toBeGreaterThan(plan.clients);
  expect(report.restarts).toBeGreaterThan(2);
  expect(report.gatewayFiles.after).toBeLessThan(report.gatewayFiles.before + 20);
  usage = report.usage;
});

it('a stop leaves nothing behind but a ledger that matches what the clients got', async () => {
  product.process.kill('SIGTERM');
  const [code] = await once(product.process, 'exit');
  expect(code).toBe(0);
  expect(product.temporaryFiles()).toEqual([]);
  const { input, output } = readLedger(product.dataDir, 'chaos');
  expect({ input, output }).toEqual(usage);
});

/** The short form of `npm run chaos -- --models`. */
it('nothing is lost either while several models share the memory for two, and are edited, removed and unloaded', async () => {
  await using several = await startChaosProduct(await prepareChaosModels());
  const [kill] = engineFaults;
  const faults = [...(kill ? [kill] : []), ...modelFaults];
  const plan = { clients: 12, requests: chaosRequests, durationMs: 0, faults, pauseMs: 100 };
  const report = await runChaos(several, plan);
  expect(report.failures).toEqual([]);
  expect(report.completed).toBeGreaterThan(plan.clients);
  expect(Object.keys(report.usageByModel).toSorted()).toEqual(['embeddings', 'guide', 'tales']);
  several.process.kill('SIGTERM');
  const [code] = await once(several.process, 'exit');
  const { input, output } = readLedger(several.dataDir, 'chaos');
  expect({ code, input, output }).toEqual({ code: 0, ...report.usage });
});
