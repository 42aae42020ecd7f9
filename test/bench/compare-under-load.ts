import type { RunningContender } from './contenders/contender.ts';
import { type ContenderName, contenders } from './contenders/contenders.ts';
import { generateLoad, type LoadReport } from './generate-load.ts';
import { inRounds } from './in-rounds.ts';
import type { ComparedLoad } from './loads.ts';
import { say } from './progress.ts';
import type { Stub } from './start-stub.ts';
import { undisturbed } from './undisturbed.ts';

export interface Pace {
  readonly rounds: number;
  /** Of one contender in one round. */
  readonly seconds: number;
  /** Of the round that is not counted. */
  readonly warmupSeconds: number;
  /** The same for a contender that has just been started: V8 takes some ten thousand requests to make code fast. */
  readonly firstWarmupSeconds: number;
}

/** Starts contenders when they are first wanted, and keeps them for the loads that follow. */
export class ContenderStock implements AsyncDisposable {
  readonly #stub: Stub;
  readonly #running = new Map<ContenderName, RunningContender>();
  readonly #stack = new AsyncDisposableStack();

  constructor(stub: Stub) {
    this.#stub = stub;
  }

  has(name: ContenderName): boolean {
    return this.#running.has(name);
  }

  async take(name: ContenderName): Promise<RunningContender> {
    const running = this.#running.get(name) ?? this.#stack.use(await contenders[name](this.#stub));
    this.#running.set(name, running);
    return running;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }
}

/** One load on all its contenders, in alternating rounds. A contender that fails at it is left out, and said to be. */
export async function compareUnderLoad(
  load: ComparedLoad,
  names: readonly ContenderName[],
  stock: ContenderStock,
  stub: Stub,
  pace: Pace,
): Promise<Record<string, readonly LoadReport[]>> {
  const measured = await inRounds(
    names,
    pace.rounds,
    async (name, round) => {
      const toWarmUp = stock.has(name) ? pace.warmupSeconds : pace.firstWarmupSeconds;
      const contender = await stock.take(name);
      const isCounted = round > 0;
      const seconds = isCounted ? pace.seconds * (load.times ?? 1) : 0.2;
      const warmupSeconds = isCounted ? rampSeconds(load) : toWarmUp;
      const measure = () => generateLoad(contender, load, { warmupSeconds, seconds }, stub.pid);
      if (!isCounted) return measure();
      const what = `${load.title} · round ${round} · ${name}`;
      const report = await undisturbed(measure, (share) =>
        say(`${what}: again, the host gave ${(share * 100).toFixed(0)} % of the time to others`),
      );
      say(`${what}: ${summaryOf(report)}`);
      return report;
    },
    (name, error) => say(`${load.title}: ${name} is left out: ${(error as Error).message}`),
  );
  return Object.fromEntries(measured);
}

/** Before a counted round: until all connections are under way. */
const rampSeconds = ({ connections }: ComparedLoad) => (connections > 100 ? 1 : 0.5);

function summaryOf({ requestsPerSecond, eventsPerSecond, cpuSeconds, seconds }: LoadReport): string {
  const speed =
    eventsPerSecond > 0
      ? `${eventsPerSecond.toFixed(0)} events/s`
      : `${requestsPerSecond.toFixed(0)} requests/s`;
  return `${speed}, ${((cpuSeconds / seconds) * 100).toFixed(0)} % CPU`;
}
