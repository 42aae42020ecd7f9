/**
 * What the product bears: `npm run chaos [-- --seconds 300 --clients 64]` lets clients of the official SDKs ask the running
 * product while its engine is killed, stopped and crashed, its key file broken, its disk full. Ends with 1 where anything
 * was lost.
 */
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { engineFaults } from './faults.ts';
import { startChaosProduct } from './product.ts';
import { runChaos } from './run-chaos.ts';

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '300' }, clients: { type: 'string', default: '64' } },
});

await using product = await startChaosProduct();
const report = await runChaos(product, {
  clients: Number(values.clients),
  forMs: Number(values.seconds) * 1000,
  faults: engineFaults,
  restMs: 1500,
  onProgress: (line) => console.log(line),
});
const { failures, ...figures } = report;
console.log(JSON.stringify(figures, null, 2));
for (const failure of failures.slice(0, 20)) console.error(failure);
product.process.kill('SIGTERM');
const [code] = await once(product.process, 'exit');
console.log(
  `${failures.length} failures; stopped with ${code}; left behind: ${product.temporaryFiles().length} files`,
);
process.exitCode = failures.length === 0 && code === 0 ? 0 : 1;
