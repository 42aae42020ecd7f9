/**
 * `npm run bench` compares the gateway with other proxies and with no proxy, in alternating rounds on this machine. See
 * docs/performance.md.
 */

import { loadavg } from 'node:os';
import { type BenchOptions, parseBenchOptions } from './bench-options.ts';
import { type CheckName, checks } from './checks/checks.ts';
import { type ContenderName, contenders } from './contenders/contenders.ts';
import type { RunningContender } from './contenders/start-contender.ts';
import { generateLoad, type LoadReport } from './load-generator.ts';
import { type ComparedLoad, comparedLoads, type LoadName } from './loads.ts';
import { pinThisProcess } from './pinned-process.ts';
import { goalsTable } from './report/goals.ts';
import { writePage } from './report/page.ts';
import { dated, readResults, saveResults } from './report/results.ts';
import { columnsOf, findingsTable, loadTable } from './report/tables.ts';
import { logProgress, measureInRounds, measureUndisturbed } from './rounds.ts';
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
await using stub = await startStub(1, { isClosing: options.isClosing });
await measureLoads();
for (const name of options.checks) await runCheck(name);
if (options.isSaved) {
  writePage(readResults());
  console.log(`\n${goalsTable(readResults())}`);
  logProgress('results written to docs/performance.md');
}

/** Contenders start when a load needs them, and are kept for the loads that follow. */
async function measureLoads(): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const running = new Map<ContenderName, RunningContender>();
  for (const name of options.loads) {
    const compared: ComparedLoad = comparedLoads[name];
    const reports = await measureInRounds(
      compared.contenders.filter((one) => options.contenders.includes(one)),
      pace.rounds,
      async (contenderName, round) => {
        const isNew = !running.has(contenderName);
        const contender = running.get(contenderName) ?? stack.use(await contenders[contenderName](stub));
        running.set(contenderName, contender);
        const title = `${compared.title} · round ${round} · ${contenderName}`;
        return round === 0 ? warmUp(compared, contender, isNew) : measure(compared, contender, title);
      },
      (contenderName, error) =>
        logProgress(`${compared.title}: ${contenderName} is left out: ${(error as Error).message}`),
    );
    showLoad(name, compared, Object.fromEntries(reports));
  }
}

function warmUp(compared: ComparedLoad, contender: RunningContender, isNew: boolean): Promise<LoadReport> {
  const warmupSeconds = isNew ? pace.firstWarmupSeconds : pace.warmupSeconds;
  return generateLoad(contender, compared, { warmupSeconds, seconds: 0.2 }, stub.pid);
}

async function measure(
  compared: ComparedLoad,
  contender: RunningContender,
  title: string,
): Promise<LoadReport> {
  const duration = {
    // Until all connections are in use.
    warmupSeconds: compared.connections > 100 ? 1 : 0.5,
    seconds: pace.seconds * (compared.durationFactor ?? 1),
  };
  const report = await measureUndisturbed(
    () => generateLoad(contender, compared, duration, stub.pid),
    (share) =>
      logProgress(
        `${title}: measuring again, the host gave ${(share * 100).toFixed(0)} % of the time to other machines`,
      ),
  );
  const { requestsPerSecond, eventsPerSecond, cpuSeconds, seconds } = report;
  const speed =
    eventsPerSecond > 0
      ? `${eventsPerSecond.toFixed(0)} events/s`
      : `${requestsPerSecond.toFixed(0)} requests/s`;
  logProgress(`${title}: ${speed}, ${((cpuSeconds / seconds) * 100).toFixed(0)} % CPU`);
  return report;
}

function showLoad(
  name: LoadName,
  compared: ComparedLoad,
  reports: Readonly<Record<string, readonly LoadReport[]>>,
): void {
  console.log(`\n### ${compared.title}\n\n${loadTable(columnsOf(compared), reports)}`);
  const seconds = pace.seconds * (compared.durationFactor ?? 1);
  if (options.isSaved)
    saveResults({ loads: { [name]: dated(reports, `${pace.rounds} rounds of ${seconds} s`) } });
}

async function runCheck(name: CheckName): Promise<void> {
  const { title, run } = checks[name];
  logProgress(title);
  const compared = options.contenders.filter(
    (one) => !['direct', 'llama-corral, traced', 'llama-corral, bare'].includes(one),
  );
  const found = await run({ stub, contenders: compared, rounds: pace.rounds, isLong: options.isLong });
  console.log(`\n### ${title}\n\n${findingsTable(found)}`);
  if (options.isSaved) saveResults({ checks: { [name]: dated(found, '') } });
}
