import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { BenchClient } from '../../../cli/bench/bench-client.ts';
import { createRequestBuilder } from '../../../cli/bench/prompts.ts';
import type { Conditions, StepReport } from '../../../cli/bench/report.ts';
import { runStep } from '../../../cli/bench/run-step.ts';
import { createPool, readTarget } from '../../../cli/bench/target.ts';
import type { ProgramCommand } from '../../../scripts/debian/debian-names.ts';
import { findOrFetchEngine } from '../../../scripts/engine/find-engine.ts';
import { cacheFolder } from '../../../scripts/project-folders.ts';
import { freePort } from '../../harness/free-port.ts';
import { startCorral } from '../contenders/corral.ts';
import { firstApiKey, type RunningContender } from '../contenders/start-contender.ts';
import { type PinnedProcess, pinThisProcess, startPinned, startUnpinned } from '../pinned-process.ts';
import { logProgress, measureInRounds, median, medianRatio } from '../rounds.ts';
import { type Check, demoModel, type Findings, type Row } from './check.ts';

export const engine: Check = {
  title: 'A real llama-server with the demo model',
  description:
    'Responses of 128 tokens; the engine on one core, the gateway and the client (`corral bench`) on the other.',
  async run({ rounds }) {
    const options = {
      engine: await findEngine(),
      model: await demoModel(),
      args: ['--threads', '1', '--cache-ram', '0'],
      prompt: 'tell me a long story',
      maxTokens: 128,
      rounds: Math.min(rounds, 2),
      seconds: 2,
    };
    pinThisProcess(0);
    try {
      return await compareOnEngine(options);
    } finally {
      pinThisProcess(1);
    }
  },
};

/** A llama-server of this machine, fetched if there is none. */
export function findEngine(configured = process.env.LLAMA_SERVER_BIN): Promise<ProgramCommand> {
  return findOrFetchEngine({ configured, searchPath: process.env.PATH, cache: cacheFolder }, logProgress);
}

export interface EngineComparison {
  readonly engine: ProgramCommand;
  readonly model: string;
  /** More arguments of llama-server, such as `-ngl 99`. */
  readonly args: readonly string[];
  readonly prompt: string;
  /** Tokens of each response; the end-of-text token is ignored. */
  readonly maxTokens: number;
  readonly rounds: number;
  readonly seconds: number;
}

/** Numbers of streams at a time. */
const levels = [1, 4, 16, 64] as const;
const CONTEXT = 2048;
const LOAD_TIMEOUT_MS = 1_800_000;

/** Compares a real llama-server with and without our gateway, in alternating rounds: a row for each number of streams. */
export async function compareOnEngine(options: EngineComparison): Promise<Findings> {
  const port = await freePort();
  await using engine = startEngine(options, port);
  await waitUntilReady(engine, port);
  await using gateway = await startCorral(`http://127.0.0.1:${port}`);
  const endpoints = { direct: { port, keyFile: undefined }, gateway };
  const found: Record<string, Row> = {};
  for (const streams of levels) {
    const name = streams === 1 ? '1 stream' : `${streams} streams`;
    found[name] = await compareAt(streams, `llama-server, ${name}`, endpoints, options);
  }
  return found;
}

type Endpoint = Pick<RunningContender, 'port' | 'keyFile'>;

async function compareAt(
  streams: number,
  title: string,
  endpoints: { readonly direct: Endpoint; readonly gateway: Endpoint },
  options: EngineComparison,
): Promise<Row> {
  const reports = await measureInRounds(['direct', 'gateway'] as const, {
    roundsOf: () => options.rounds,
    warmUp: (name) => measure(endpoints[name], streams, options, 1),
    async measure(name, round) {
      const report = await measure(endpoints[name], streams, options, options.seconds);
      logProgress(`${title} · round ${round} · ${name}: ${report.tokensPerSecond.toFixed(0)} tokens/s`);
      return report;
    },
    onFailure: (name, error) => logProgress(`${title}, ${name}: ${(error as Error).message}`),
  });
  const [direct, gateway] = [reports.get('direct') ?? [], reports.get('gateway') ?? []];
  const speed = (one: StepReport) => one.tokensPerSecond;
  const ttft = (part: 'p50' | 'p95' | 'p99') => (one: StepReport) => one.ttftMs?.[part] ?? Number.NaN;
  return {
    'tokens/s direct': median(direct.map(speed)),
    'tokens/s gateway': median(gateway.map(speed)),
    '÷ direct': medianRatio(gateway.map(speed), direct.map(speed)),
    'TTFT p50 direct ms': median(direct.map(ttft('p50'))),
    'p50 gateway': median(gateway.map(ttft('p50'))),
    'p95 direct': median(direct.map(ttft('p95'))),
    'p95 gateway': median(gateway.map(ttft('p95'))),
    'p99 direct': median(direct.map(ttft('p99'))),
    'p99 gateway': median(gateway.map(ttft('p99'))),
  };
}

/** On two cores, the engine gets the core that the gateway does not have. */
function startEngine({ engine, model, args }: EngineComparison, port: number): PinnedProcess {
  const slots = Math.max(...levels);
  const all = [
    ...engine.args,
    ...['--host', '127.0.0.1', '--port', String(port), '--model', model, '--alias', 'bench', '--no-ui'],
    ...['--parallel', String(slots), '--ctx-size', String(slots * CONTEXT), '--metrics', ...args],
  ];
  const command = { command: engine.command, args: all };
  const options = { stdio: 'ignore' } as const;
  return availableParallelism() > 2 ? startUnpinned(command, options) : startPinned(1, command, options);
}

async function waitUntilReady({ process: child }: PinnedProcess, port: number): Promise<void> {
  const isReady = () =>
    fetch(`http://127.0.0.1:${port}/health`).then(
      ({ ok }) => ok,
      () => false,
    );
  for (const until = performance.now() + LOAD_TIMEOUT_MS; !(await isReady()); await sleep(100)) {
    if (child.exitCode !== null || child.signalCode !== null || performance.now() > until)
      throw new Error('llama-server did not become ready; run it by hand to see why');
  }
}

async function measure(
  endpoint: Endpoint,
  streams: number,
  { prompt, maxTokens }: EngineComparison,
  seconds: number,
): Promise<StepReport> {
  const target = readTarget(`http://127.0.0.1:${endpoint.port}`);
  const pool = createPool(target);
  const conditions: Conditions = {
    ...{ url: target.url, path: 'chat', model: 'bench', stream: true, maxTokens },
    ...{ body: { ignore_eos: true }, prompts: null, durationMs: seconds * 1000, requests: null },
    ...{ warmupMs: 1000, timeoutMs: 600_000, retries: 0, maxOpen: 1 },
  };
  const request = createRequestBuilder(target, conditions, firstApiKey(endpoint))(prompt);
  try {
    const report = await runStep({
      step: { name: 'engine', load: { kind: 'closed', concurrency: streams }, promptTokens: null },
      client: new BenchClient(pool, conditions.timeoutMs),
      nextRequest: () => request,
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
