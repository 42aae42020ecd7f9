import { once } from 'node:events';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { engineFaults } from '../../scripts/harness/chaos/faults.ts';
import { type ChaosProduct, startChaosProduct } from '../../scripts/harness/chaos/product.ts';
import { runChaos } from '../../scripts/harness/chaos/run-chaos.ts';

let product: ChaosProduct;
beforeAll(async () => {
  product = await startChaosProduct();
}, 60_000);
afterAll(() => product[Symbol.asyncDispose]());

/** The short form of `npm run chaos`: every fault once. */
it('clients of the official SDKs are told every word once, whatever befalls the engine, the keys and the disk', async () => {
  const plan = { clients: 12, forMs: 8000, faults: engineFaults, restMs: 300 };
  const report = await runChaos(product, plan);
  expect(report.failures).toEqual([]);
  expect(report.served).toBeGreaterThan(plan.clients);
  expect(report.restarts).toBeGreaterThan(2);
  expect(report.gatewayFiles.after).toBeLessThan(report.gatewayFiles.before + 20);
  expect(await booked()).toEqual(report.told);
}, 120_000);

it('and a stop leaves nothing behind', async () => {
  product.process.kill('SIGTERM');
  const [code] = await once(product.process, 'exit');
  expect(code).toBe(0);
  expect(product.temporaryFiles()).toEqual([]);
});

/** What the ledger holds of the key that all those answers were asked for with. */
async function booked(): Promise<{ input: number; output: number }> {
  const answer = await fetch(`${product.origin}/admin/usage?key=chaos`, {
    headers: { authorization: 'Bearer sk-admin-0123456789abcdef' },
  });
  const { total } = (await answer.json()) as { total: { inputTokens: number; outputTokens: number } };
  return { input: total.inputTokens, output: total.outputTokens };
}
