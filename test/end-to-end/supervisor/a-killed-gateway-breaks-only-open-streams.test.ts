import { expect, it } from 'vitest';
import { killGateway } from '../../chaos/faults.ts';
import { startChaosProduct } from '../../chaos/product.ts';
import { runChaos } from '../../chaos/run-chaos.ts';

it('the SDKs retry and get all other responses, and the model stays loaded', async () => {
  await using product = await startChaosProduct();
  const engines = product.enginePids();
  const report = await runChaos(product, {
    clients: 8,
    durationMs: 4000,
    pauseMs: 700,
    faults: [killGateway],
    maxRetries: 10,
    // An SDK does not repeat a stream that has begun. The stream must end with an error, not as if it were complete.
    mayFail: ({ name }, { message }) => name.includes('stream') && /terminated|closed|reset/i.test(message),
  });
  expect(report.failures).toEqual([]);
  expect(report.completed).toBeGreaterThan(8);
  expect(report.failedByDesign).toBeGreaterThan(0);
  expect(product.enginePids()).toEqual(engines);
});
