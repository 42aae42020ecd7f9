/**
 * `npm run bench` compares the gateway with a minimal one, with other proxies and with no proxy, in alternating rounds on
 * this machine. See docs/performance.md.
 */

import { loadavg } from 'node:os';
import { type BenchOptions, parseBenchOptions } from './bench-options.ts';
import { type CheckName, checkedContenders, checks } from './checks/checks.ts';
import { compareLoads } from './compare-loads.ts';
import { type ComparedLoad, comparedLoads, loadGroups } from './loads.ts';
import { pinThisProcess } from './pinned-process.ts';
import { goalsTable } from './report/goals-table.ts';
import { writePage } from './report/page.ts';
import {
  addResults,
  type BenchResults,
  dated,
  noResults,
  readResults,
  writeResults,
} from './report/results.ts';
import { columnsOf, findingsTable, loadTable } from './report/tables.ts';
import { logProgress } from './rounds.ts';
import { RunningContenders } from './running-contenders.ts';
import { startStub } from './stub-upstream.ts';

const options: BenchOptions = parseBenchOptions(process.argv.slice(2));
const { pace } = options;
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
pinThisProcess(1);
const [load = 0] = loadavg();
if (load > 0.7)
  logProgress(
    `warning: this machine is busy (load ${load.toFixed(1)}), only CPU times and ratios are useful`,
  );
let results: BenchResults = options.isSaved ? readResults() : noResults;
await using stub = await startStub(1, { isClosing: options.isClosing });
await measureLoads();
for (const name of options.checks) await runCheck(name);
console.log(`\n${goalsTable(results)}`);
if (options.isSaved) {
  writePage(results);
  logProgress('results written to docs/performance.md');
}

function keep(added: Partial<BenchResults>): void {
  results = addResults(results, added);
  if (options.isSaved) writeResults(results);
}

async function measureLoads(): Promise<void> {
  await using running = new RunningContenders(stub, pace.warmUp.firstSeconds);
  for (const group of loadGroups) {
    const names = group.filter((name) => options.loads.includes(name));
    for (const [name, reports] of await compareLoads(names, options, running)) {
      const compared: ComparedLoad = comparedLoads[name];
      console.log(`\n### ${compared.title}\n\n${loadTable(columnsOf(compared), reports)}`);
      const seconds = pace.seconds * (compared.durationFactor ?? 1);
      keep({ loads: { [name]: dated(reports, `${pace.rounds} rounds of ${seconds} s`) } });
    }
  }
  const found = running.warmUps;
  if (Object.keys(found).length === 0) return;
  console.log(`\n### Warm-up of a fresh process\n\n${findingsTable(found)}`);
  keep({ warmUps: dated(found, 'under the load of 1 KB') });
}

async function runCheck(name: CheckName): Promise<void> {
  const { title, run } = checks[name];
  logProgress(title);
  const contenders = options.contenders.filter((one) => checkedContenders.includes(one));
  const found = await run({ stub, contenders, rounds: pace.rounds, isLong: options.isLong });
  console.log(`\n### ${title}\n\n${findingsTable(found)}`);
  keep({ checks: { [name]: dated(found, '') } });
}
