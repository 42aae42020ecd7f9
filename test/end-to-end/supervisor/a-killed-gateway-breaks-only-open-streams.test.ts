import { expect, it } from 'vitest';
import { killGateway } from '../../chaos/faults.ts';
import { startChaosProduct } from '../../chaos/product.ts';
import { runChaos } from '../../chaos/run-chaos.ts';

it('the SDKs retry and get all other responses, and the model stays loaded', async () => {
  await using product = await startChaosProduct();
  const engine = product.pidOf('llama-server');
  const report = await runChaos(product, {
    clients: 8,
    forMs: 4000,
    restMs: 700,
    faults: [killGateway],
    maxRetries: 10,
    // A stream that has begun is no request that a client may repeat: it is told, never ended as if it were whole.
    mayFail: ({ name }, { message }) => name.includes('stream') && /terminated|closed|reset/i.test(message),
  });
  expect(report.failures).toEqual([]);
  expect(report.served).toBeGreaterThan(8);
  expect(report.endedByDesign).toBeGreaterThan(0);
  expect(product.pidOf('llama-server')).toBe(engine);
});
