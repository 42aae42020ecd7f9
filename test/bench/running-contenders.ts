import type { Findings, Row } from './checks/check.ts';
import { type ContenderName, contenders } from './contenders/contenders.ts';
import type { RunningContender } from './contenders/start-contender.ts';
import { REQUESTS_UNTIL_WARM } from './report/results.ts';
import { logProgress } from './rounds.ts';
import type { StubUpstream } from './stub-upstream.ts';
import { costOf, requestsUntilWarm, type WarmUpLimits, warmUpFresh } from './warm-up.ts';

/** Contenders start when a load needs them, are warmed up, and are kept for the loads that follow. */
export class RunningContenders implements AsyncDisposable {
  private readonly running = new Map<ContenderName, RunningContender>();
  private readonly stack = new AsyncDisposableStack();
  private readonly stub: StubUpstream;
  private readonly limits: WarmUpLimits;
  private readonly found: Record<string, Row> = {};

  constructor(stub: StubUpstream, limits: WarmUpLimits) {
    this.stub = stub;
    this.limits = limits;
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
    const warmUp = await warmUpFresh(started, this.limits);
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

  [Symbol.asyncDispose](): Promise<void> {
    return this.stack.disposeAsync();
  }
}
