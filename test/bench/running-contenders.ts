import type { Findings, Row } from './checks/check.ts';
import { type ContenderName, compiledContenders, contenders } from './contenders/contenders.ts';
import type { RunningContender } from './contenders/start-contender.ts';
import type { Load } from './load-generator.ts';
import { comparedLoads } from './loads.ts';
import { REQUESTS_UNTIL_WARM } from './report/results.ts';
import { logProgress } from './rounds.ts';
import type { StubUpstream } from './stub-upstream.ts';
import { costOf, requestsUntilWarm, warmUpFresh, warmUpFurther } from './warm-up.ts';

/** Contenders start when a load needs them, are warmed up, and are kept for the loads that follow. */
export class RunningContenders implements AsyncDisposable {
  private readonly running = new Map<ContenderName, RunningContender>();
  private readonly stack = new AsyncDisposableStack();
  private readonly stub: StubUpstream;
  private readonly firstWarmUpSeconds: number;
  private readonly found: Record<string, Row> = {};

  constructor(stub: StubUpstream, firstWarmUpSeconds: number) {
    this.stub = stub;
    this.firstWarmUpSeconds = firstWarmUpSeconds;
  }

  get upstreamPid(): number {
    return this.stub.pid;
  }

  /** How those that have been started warmed up. */
  get warmUps(): Findings {
    return this.found;
  }

  async get(name: ContenderName): Promise<RunningContender> {
    const running = this.running.get(name);
    if (running !== undefined) return running;
    const started = this.stack.use(await contenders[name](this.stub));
    const maxSeconds = compiledContenders.includes(name) ? 3 : this.firstWarmUpSeconds;
    const warmUp = await warmUpFresh(started, maxSeconds);
    const requests = requestsUntilWarm(warmUp);
    logProgress(`${name} is warm after ${requests} requests: ${warmUp.finalCost.toFixed(1)} µs`);
    this.found[name] = {
      [REQUESTS_UNTIL_WARM]: requests,
      'CPU µs/request at first': costOf(warmUp.windows.slice(0, 1)),
      'at the end': warmUp.finalCost,
    };
    this.running.set(name, started);
    return started;
  }

  /** A contender that has just started is warm for the load that all of them start with. */
  async warmUp(name: ContenderName, load: Load, maxSeconds: number): Promise<void> {
    const hasStarted = !this.running.has(name);
    const contender = await this.get(name);
    if (!hasStarted || load !== comparedLoads['plain-1k']) await warmUpFurther(contender, load, maxSeconds);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stack.disposeAsync();
  }
}
