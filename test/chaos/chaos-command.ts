/**
 * `npm run chaos [-- --seconds 300 --clients 64]`: clients of the official SDKs send requests to the running product while
 * its engine is killed, stopped and crashed, its key file is invalid and its disk is full. Exits with 1 if anything was lost.
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
  durationMs: Number(values.seconds) * 1000,
  faults: engineFaults,
  pauseMs: 1500,
  onProgress: (line) => console.log(line),
});
const { failures, ...summary } = report;
console.log(JSON.stringify(summary, null, 2));
for (const failure of failures.slice(0, 20)) console.error(failure);
product.process.kill('SIGTERM');
const [code] = await once(product.process, 'exit');
console.log(
  `${failures.length} failures; exit code ${code}; ${product.temporaryFiles().length} temporary files left`,
);
process.exitCode = failures.length === 0 && code === 0 ? 0 : 1;
