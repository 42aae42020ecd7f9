/**
 * `npm run bench`: what our gateway costs beside others and nothing at all, in alternating rounds on this machine.
 * docs/performance.md tells what it measures and how it is used.
 */
import { parseArgs } from 'node:util';
import { ContenderStock, compareUnderLoad } from './compare-under-load.ts';
import type { ContenderName } from './contenders/contenders.ts';
import { columnsOf } from './load-columns.ts';
import { loadTable } from './load-table.ts';
import { type ComparedLoad, comparedLoads } from './loads.ts';
import { startStub } from './start-stub.ts';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    only: { type: 'string', multiple: true, default: [] },
    closing: { type: 'boolean', default: false },
    contenders: { type: 'string', multiple: true, default: [] },
  },
});
const pace = {
  rounds: Number(values.rounds ?? (values.quick ? 2 : 3)),
  seconds: Number(values.seconds ?? (values.quick ? 1 : 2)),
  warmupSeconds: values.quick ? 1 : 2,
};

await using stub = await startStub(1, { isClosing: values.closing });
await using stock = new ContenderStock(stub);
for (const [name, load] of Object.entries(comparedLoads) as [string, ComparedLoad][]) {
  if (values.only.length > 0 && !values.only.includes(name)) continue;
  const wanted = values.contenders as ContenderName[];
  const names = load.contenders.filter((one) => wanted.length === 0 || wanted.includes(one));
  const measured = await compareUnderLoad(load, names, stock, stub, pace);
  console.log(`\n### ${load.title}\n\n${loadTable(columnsOf(load), measured)}`);
}
