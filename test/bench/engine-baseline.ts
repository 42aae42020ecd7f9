import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { BenchClient } from '../../cli/bench/bench-client.ts';
import { createRequestBuilder } from '../../cli/bench/prompts.ts';
import type { Conditions, StepReport } from '../../cli/bench/report.ts';
import { runStep } from '../../cli/bench/run-step.ts';
import { createPool, readTarget } from '../../cli/bench/target.ts';
import type { ProgramCommand } from '../../scripts/debian/debian-names.ts';
import { freePort } from '../harness/free-port.ts';
import { firstSecretOf, type RunningContender } from './contenders/contender.ts';
import { startCorral } from './contenders/corral.ts';
import { inRounds } from './in-rounds.ts';
import { median, ratio } from './median.ts';
import { type Pinned, startAnywhere, startPinned } from './pinned.ts';
import { say } from './progress.ts';

export interface EngineWishes {
  readonly engine: ProgramCommand;
  readonly model: string;
  /** Further arguments of llama-server, such as `-ngl 99`. */
  readonly args: readonly string[];
  readonly prompt: string;
  /** Of each answer; its end mark is ignored. */
  readonly maxTokens: number;
  readonly rounds: number;
  readonly seconds: number;
}

/** So many streams at a time. */
const levels = [1, 4, 16, 64] as const;
const CONTEXT = 2048;
const LOAD_MS = 1_800_000;

/** A real llama-server, asked directly and through our gateway in alternating rounds: one row for each number of streams. */
export async function compareOnEngine(
  wishes: EngineWishes,
): Promise<Record<string, Record<string, number | null>>> {
  const port = await freePort();
  await using engine = startEngine(wishes, port);
  await untilReady(engine, port);
  await using gateway = await startCorral(`http://127.0.0.1:${port}`);
  const ways = { direct: { port, keyFile: undefined }, through: gateway };
  const found: Record<string, Record<string, number | null>> = {};
  for (const streams of levels) found[streamsOf(streams)] = await compareAt(streams, ways, wishes);
  return found;
}

const streamsOf = (count: number) => (count === 1 ? '1 stream' : `${count} streams`);

type Way = Pick<RunningContender, 'port' | 'keyFile'>;

async function compareAt(
  streams: number,
  ways: { readonly direct: Way; readonly through: Way },
  wishes: EngineWishes,
): Promise<Record<string, number | null>> {
  const measured = await inRounds(
    ['direct', 'through'] as const,
    wishes.rounds,
    async (name, round) => {
      const report = await ask(ways[name], streams, wishes, round === 0 ? 1 : wishes.seconds);
      say(
        `llama-server, ${streamsOf(streams)} · round ${round} · ${name}: ${report.tokensPerSecond.toFixed(0)} tokens/s`,
      );
      return report;
    },
    (name, error) => say(`llama-server, ${streamsOf(streams)}, ${name}: ${(error as Error).message}`),
  );
  const [direct, through] = [measured.get('direct') ?? [], measured.get('through') ?? []];
  const speed = (one: StepReport) => one.tokensPerSecond;
  const ttft = (part: 'p50' | 'p95' | 'p99') => (one: StepReport) => one.ttftMs?.[part] ?? Number.NaN;
  return {
    'tokens/s direct': median(direct.map(speed)),
    'through us': median(through.map(speed)),
    '÷ direct': ratio(through.map(speed), direct.map(speed)),
    'TTFT p50 direct ms': median(direct.map(ttft('p50'))),
    'p50 through us': median(through.map(ttft('p50'))),
    'p95 direct': median(direct.map(ttft('p95'))),
    'p95 through us': median(through.map(ttft('p95'))),
    'p99 direct': median(direct.map(ttft('p99'))),
    'p99 through us': median(through.map(ttft('p99'))),
  };
}

/** On two cores it gets the one that the gateway does not have. */
function startEngine({ engine, model, args }: EngineWishes, port: number): Pinned {
  const slots = Math.max(...levels);
  const all = [
    ...engine.args,
    ...['--host', '127.0.0.1', '--port', String(port), '--model', model, '--alias', 'bench', '--no-ui'],
    ...['--parallel', String(slots), '--ctx-size', String(slots * CONTEXT), '--metrics', ...args],
  ];
  const started = { command: engine.command, args: all };
  const options = { stdio: 'ignore' } as const;
  return availableParallelism() > 2 ? startAnywhere(started, options) : startPinned(1, started, options);
}

async function untilReady({ process: child }: Pinned, port: number): Promise<void> {
  const isReady = () =>
    fetch(`http://127.0.0.1:${port}/health`).then(
      ({ ok }) => ok,
      () => false,
    );
  for (const until = performance.now() + LOAD_MS; !(await isReady()); await sleep(100)) {
    if (child.exitCode !== null || child.signalCode !== null || performance.now() > until)
      throw new Error('llama-server did not get ready: run it by hand to see why');
  }
}

async function ask(
  way: Way,
  streams: number,
  { prompt, maxTokens }: EngineWishes,
  seconds: number,
): Promise<StepReport> {
  const target = readTarget(`http://127.0.0.1:${way.port}`);
  const pool = createPool(target);
  const conditions = conditionsOf(target.url, maxTokens, seconds);
  const question = createRequestBuilder(target, conditions, firstSecretOf(way))(prompt);
  try {
    const report = await runStep({
      step: { name: 'engine', load: { kind: 'closed', concurrency: streams }, promptTokens: null },
      asker: new BenchClient(pool, conditions.timeoutMs),
      nextQuestion: () => question,
      conditions,
      signal: new AbortController().signal,
      onStart: () => {},
    });
    if (!report || report.errors.length > 0) throw new Error(JSON.stringify(report?.errors));
    return report;
  } finally {
    await pool.destroy();
  }
}

const conditionsOf = (url: string, maxTokens: number, seconds: number): Conditions => ({
  ...{ url, path: 'chat', model: 'bench', stream: true, maxTokens, body: { ignore_eos: true } },
  ...{ prompts: null, durationMs: seconds * 1000, requests: null, warmupMs: 1000 },
  ...{ timeoutMs: 600_000, retries: 0, maxOpen: 1 },
});
