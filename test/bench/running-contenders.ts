import type { Findings, Row } from './checks/check.ts';
import { type ContenderName, compiledContenders, contenders } from './contenders/contenders.ts';
import type { RunningContender } from './contenders/start-contender.ts';
import type { Load } from './load-generator.ts';
import { comparedLoads } from './loads.ts';
import { REQUESTS_UNTIL_WARM } from './report/results.ts';
import { logProgress, median } from './rounds.ts';
import type { StubUpstream } from './stub-upstream.ts';
import { costOf, requestsUntilWarm, warmUpFresh, warmUpFurther } from './warm-up.ts';

/** Contenders start when a load needs them, are warmed up, and are kept for the loads that follow. */
export class RunningContenders implements AsyncDisposable {
  /** The processes of each contender. */
  private readonly running = new Map<ContenderName, RunningContender[]>();
  private readonly stub: StubUpstream;
  private readonly firstWarmUpSeconds: number;
  private readonly found = new Map<ContenderName, Row[]>();

  constructor(stub: StubUpstream, firstWarmUpSeconds: number) {
    this.stub = stub;
    this.firstWarmUpSeconds = firstWarmUpSeconds;
  }

  get upstreamPid(): number {
    return this.stub.pid;
  }

  /** How those that have been started warmed up: the median of the processes of each. */
  get warmUps(): Findings {
    return Object.fromEntries([...this.found].map(([name, rows]) => [name, medianRow(rows)]));
  }

  /** `process`: which one of its processes, from 0. */
  async get(name: ContenderName, process: number): Promise<RunningContender> {
    const processes = this.running.get(name) ?? [];
    this.running.set(name, processes);
    const running = processes[process];
    if (running !== undefined) return running;
    const started = await contenders[name](this.stub);
    processes[process] = started;
    const maxSeconds = compiledContenders.includes(name) ? 3 : this.firstWarmUpSeconds;
    const warmUp = await warmUpFresh(started, maxSeconds);
    const requests = requestsUntilWarm(warmUp);
    logProgress(`${name} is warm after ${requests} requests: ${warmUp.finalCost.toFixed(1)} µs`);
    const row = {
      [REQUESTS_UNTIL_WARM]: requests,
      'CPU µs/request at first': costOf(warmUp.windows.slice(0, 1)),
      'at the end': warmUp.finalCost,
    };
    this.found.set(name, [...(this.found.get(name) ?? []), row]);
    return started;
  }

  /** A contender that has just started is warm for the load that all of them start with. */
  async warmUp(name: ContenderName, process: number, load: Load, maxSeconds: number): Promise<void> {
    const hasStarted = this.running.get(name)?.[process] === undefined;
    const contender = await this.get(name, process);
    if (!hasStarted || load !== comparedLoads['plain-1k']) await warmUpFurther(contender, load, maxSeconds);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const process of [...this.running.values()].flat()) await process[Symbol.asyncDispose]();
  }
}

function medianRow(rows: readonly Row[]): Row {
  const [first = {}] = rows;
  return Object.fromEntries(Object.keys(first).map((key) => [key, median(rows.map((row) => row[key] ?? 0))]));
}
