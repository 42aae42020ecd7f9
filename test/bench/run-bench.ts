/**
 * `npm run bench`: what our gateway costs beside others and nothing at all, in alternating rounds on this machine.
 * docs/performance.md tells what it measures and how it is used.
 */

import { loadavg } from 'node:os';
import { type CheckName, checkNamed } from './checks/checks.ts';
import { type ChosenBench, chooseBench } from './choose-bench.ts';
import { ContenderStock, compareUnderLoad } from './compare-under-load.ts';
import { type ComparedLoad, comparedLoads, type LoadName } from './loads.ts';
import { pinThisProcess } from './pinned.ts';
import { say } from './progress.ts';
import { keepFigures, readFigures, taken } from './report/figures.ts';
import { findingsTable } from './report/findings-table.ts';
import { goalsTable } from './report/goals-table.ts';
import { columnsOf } from './report/load-columns.ts';
import { loadTable } from './report/load-table.ts';
import { writePage } from './report/write-page.ts';
import { type Stub, startStub } from './start-stub.ts';

const chosen = chooseBench(process.argv.slice(2));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
pinThisProcess(1);
warnOfOthers();
await using stub = await startStub(1, { isClosing: chosen.isClosing });
await measureLoads(chosen, stub);
for (const name of chosen.checks) await check(name, chosen, stub);
if (chosen.isKept) {
  writePage(readFigures());
  console.log(`\n${goalsTable(readFigures())}`);
  say('the figures are in docs/performance.md');
}

/** Figures of a machine that others use, too, say little. */
function warnOfOthers(): void {
  const [load = 0] = loadavg();
  if (load > 0.7) say(`this machine is busy (load ${load.toFixed(1)}): go by CPU and ratios, and not far`);
}

async function measureLoads({ loads, contenders, pace, isKept }: ChosenBench, stub: Stub): Promise<void> {
  await using stock = new ContenderStock(stub);
  for (const name of loads) await measureLoad(name);

  async function measureLoad(name: LoadName): Promise<void> {
    const load: ComparedLoad = comparedLoads[name];
    const names = load.contenders.filter((one) => contenders.includes(one));
    const measured = await compareUnderLoad(load, names, stock, stub, pace);
    console.log(`\n### ${load.title}\n\n${loadTable(columnsOf(load), measured)}`);
    const seconds = pace.seconds * (load.times ?? 1);
    if (isKept) keepFigures({ loads: { [name]: taken(measured, `${pace.rounds} rounds of ${seconds} s`) } });
  }
}

async function check(
  name: CheckName,
  { contenders, pace, isLong, isKept }: ChosenBench,
  stub: Stub,
): Promise<void> {
  const { title, find } = checkNamed(name);
  say(title);
  const names = contenders.filter(
    (one) => !['direct', 'llama-corral, traced', 'llama-corral, bare'].includes(one),
  );
  const found = await find({ stub, contenders: names, rounds: pace.rounds, isLong });
  console.log(`\n### ${title}\n\n${findingsTable(found)}`);
  if (isKept) keepFigures({ checks: { [name]: taken(found, '') } });
}
