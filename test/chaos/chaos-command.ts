/**
 * `npm run chaos [-- --models --seconds 300 --clients 64]`: clients of the official SDKs send requests to the running product
 * while its engine is killed, stopped and crashed, its key file is invalid and its disk is full. `--models`: it serves several
 * models, more than its memory has room for, which are also edited, removed and unloaded. Exits with 1 if anything was lost.
 */
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { readLedger } from '../end-to-end/gateway/clients/reported-usage.ts';
import { chaosRequests, prepareChaosModels } from './chaos-models.ts';
import { engineFaults } from './faults.ts';
import { modelFaults } from './model-faults.ts';
import { startChaosProduct } from './product.ts';
import { runChaos } from './run-chaos.ts';

const { values } = parseArgs({
  options: {
    models: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '300' },
    clients: { type: 'string', default: '64' },
  },
});

await using product = await startChaosProduct(values.models ? await prepareChaosModels() : undefined);
const report = await runChaos(product, {
  clients: Number(values.clients),
  ...(values.models && { requests: chaosRequests }),
  durationMs: Number(values.seconds) * 1000,
  faults: values.models ? [...engineFaults, ...modelFaults] : engineFaults,
  pauseMs: 1500,
  onProgress: (line) => console.log(line),
});
const { failures, ...summary } = report;
console.log(JSON.stringify(summary, null, 2));
for (const failure of failures.slice(0, 20)) console.error(failure);
product.process.kill('SIGTERM');
const [code] = await once(product.process, 'exit');
const { input, output } = readLedger(product.dataDir, 'chaos');
const isBooked = input === report.usage.input && output === report.usage.output;
console.log(
  `${failures.length} failures; exit code ${code}; ${product.temporaryFiles().length} temporary files left; ledger: ${input} input and ${output} output tokens, ${isBooked ? 'as' : 'other than'} the clients got`,
);
process.exitCode = failures.length === 0 && code === 0 && isBooked ? 0 : 1;
